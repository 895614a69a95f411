/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.internal.Nearest;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a classifier: the name of one that code binds, or statuses, codes of gRPC and exceptions by their verdict. */
final class ClassifierReader {
    private static final String BASE = "base";
    private static final String STATUS = "status";
    private static final Map<String, Verdict> LISTS = verdicts();
    private static final Pattern STATUSES = Pattern.compile("([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?");
    /** How many write a range: {@code 5xx}. */
    private static final Pattern WILDCARD = Pattern.compile("[1-5](?:[0-9][xX*]|[xX]{2}|[*]{1,2})");
    /** Nobody's class has such a name. */
    private static final Pattern CODE = Pattern.compile("[A-Z]+(_[A-Z]+)*");

    /** All but OK, which is no error. The adapter for gRPC is another module, so that it cannot be asked. */
    private static final List<String> CODES = List.of(
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED");

    private static final Pattern CLASS = Pattern.compile("[\\p{javaJavaIdentifierPart}.]+");

    /** Looking for a class that is not there takes long. */
    private final Map<String, Optional<Class<?>>> classes = new HashMap<>();

    private final Values values;
    private final Problems problems;

    ClassifierReader(Values values, Problems problems) {
        this.values = values;
        this.problems = problems;
    }

    private static Map<String, Verdict> verdicts() {
        Map<String, Verdict> lists = new LinkedHashMap<>();
        lists.put("successes", Verdict.SUCCESS);
        lists.put("failures", Verdict.FAILURE);
        lists.put("pushbacks", Verdict.PUSHBACK);
        lists.put("ignored", Verdict.IGNORED);
        return lists;
    }

    /** The classifier; empty if it cannot be read, which is then reported. */
    Optional<Classifier> read(Place place, Node node) {
        return node instanceof Mapping mapping
                ? Optional.of(listed(place, mapping))
                : values.read(Classifier.class, place, node);
    }

    private Classifier listed(Place place, Mapping mapping) {
        ListedClassifier classifier = new ListedClassifier();
        for (Entry entry : mapping.entries()) {
            Place here = place.child(entry);
            Verdict verdict = LISTS.get(entry.key());
            if (verdict != null) {
                list(here, entry.value(), verdict, classifier);
            } else if (entry.key().equals(BASE)) {
                values.read(Classifier.class, here, entry.value()).ifPresent(classifier::base);
            } else if (entry.key().equals(STATUS)) {
                values.read(ToIntFunction.class, here, entry.value()).ifPresent(classifier::status);
            } else {
                List<String> known = keys();
                String expected = "one of " + String.join(", ", known);
                problems.add(here, "unknown option", expected, Nearest.to(entry.key(), known));
            }
        }
        return classifier;
    }

    /** What the mapping of a classifier may have. */
    static List<String> keys() {
        return List.of("successes", "failures", "pushbacks", "ignored", BASE, STATUS);
    }

    private void list(Place place, Node node, Verdict verdict, ListedClassifier classifier) {
        for (Node item : node.items()) {
            Place here = place.value(item);
            if (!(item instanceof Scalar scalar)
                    || scalar.isNothing()
                    || scalar.text().length() > Bounds.TEXT) {
                String expected = "statuses such as 404 or 500-599, codes such as UNAVAILABLE, and names of exceptions";
                problems.add(here, item.fact(), expected);
                continue;
            }
            Matcher statuses = STATUSES.matcher(scalar.text());
            if (statuses.matches()) {
                statuses(here, scalar, statuses, verdict, classifier);
            } else if (CODE.matcher(scalar.text()).matches()) {
                code(here, scalar, verdict, classifier);
            } else if (WILDCARD.matcher(scalar.text()).matches()) {
                problems.add(
                        here, "is " + scalar.described(), "a range of statuses", Optional.of(range(scalar.text())));
            } else if (scalar.kind() == Kind.NUMBER
                    || !CLASS.matcher(scalar.text()).matches()) {
                problems.add(
                        here,
                        "is " + scalar.described(),
                        "a status from 100 to 599, a range of them, a code, or a class");
            } else {
                exception(here, scalar, verdict, classifier);
            }
        }
    }

    private static String range(String wildcard) {
        String known = wildcard.replaceAll("[^0-9]", "");
        return (known + "00").substring(0, 3) + "-" + (known + "99").substring(0, 3);
    }

    private void statuses(Place place, Scalar scalar, Matcher range, Verdict verdict, ListedClassifier classifier) {
        int first = Integer.parseInt(range.group(1));
        int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
        if (last < first) {
            problems.add(place, "is " + scalar.described() + ", which goes down", last + "-" + first);
        }
        for (int status = first; status <= last; status++) {
            if (!classifier.add(status, verdict)) {
                problems.add(place, "has " + status + ", which another list has too", "each status in one list");
                return;
            }
        }
    }

    private void code(Place place, Scalar scalar, Verdict verdict, ListedClassifier classifier) {
        String code = scalar.text();
        if (!CODES.contains(code)) {
            String expected = "a code of gRPC such as UNAVAILABLE; an exception has its package";
            problems.add(
                    place,
                    "is " + scalar.described() + ", which is no code of gRPC",
                    expected,
                    Nearest.to(code, CODES));
        } else if (!classifier.add(code, verdict)) {
            problems.add(place, "is " + scalar.described() + ", which another list has too", "each code in one list");
        }
    }

    private void exception(Place place, Scalar scalar, Verdict verdict, ListedClassifier classifier) {
        Class<?> found =
                classes.computeIfAbsent(scalar.text(), ClassifierReader::find).orElse(null);
        if (found == null) {
            problems.add(
                    place,
                    "is " + scalar.described() + ", which is no class here",
                    "a status, a range of statuses, a code of gRPC, or an exception with its package");
        } else if (!Throwable.class.isAssignableFrom(found)) {
            problems.add(
                    place, "is " + scalar.described() + ", which is no exception", "a class below java.lang.Throwable");
        } else if (!classifier.add(found.asSubclass(Throwable.class), verdict)) {
            problems.add(place, "is " + scalar.described() + ", which another list has too", "each class in one list");
        }
    }

    /** Nothing of the class runs: it is not initialised. */
    private static Optional<Class<?>> find(String name) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ClassLoader own = ClassifierReader.class.getClassLoader();
        for (ClassLoader loader : context == null ? new ClassLoader[] {own} : new ClassLoader[] {context, own}) {
            try {
                return Optional.of(Class.forName(name, false, loader));
            } catch (ClassNotFoundException | LinkageError notHere) {
                // The other loader may know it.
            }
        }
        return Optional.empty();
    }
}
