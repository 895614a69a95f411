/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The exceptions that retry and circuit breaker take for failures. In resilience4j each of the two has lists of its own; here
 * a classifier is one for both. It never takes a failure away that the breaker counts in resilience4j.
 */
final class Lists {
    /** More make no line that anybody reads. */
    private static final int MOST_CLASSES = 20;

    private static final String THROWABLE = "java.lang.Throwable";

    /** What a time limiter of resilience4j throws. A classifier here is not asked for a timeout of the pipeline. */
    private static final String TIMEOUT = "java.util.concurrent.TimeoutException";

    /** With its package, as the reader of the line wants it. */
    private static final Pattern CLASS = Pattern.compile("[A-Za-z_$][\\w$]*+(\\.[A-Za-z_$][\\w$]*+)++");

    private final Taken retry;
    private final Taken breaker;
    private final boolean timedRetry;
    private final boolean timedBreaker;
    private final Set<String> failures = new LinkedHashSet<>();
    private final Set<String> ignored = new LinkedHashSet<>();

    /** The set has those of the two kinds that are outside a time limiter. */
    Lists(Map<Kind, Settings> given, Set<Kind> timed) {
        retry = new Taken(given.get(Kind.RETRY), "retry-exceptions", "retry-exception-predicate");
        breaker = new Taken(given.get(Kind.CIRCUIT_BREAKER), "record-exceptions", "record-failure-predicate");
        failures.addAll(retry.taken());
        failures.addAll(breaker.taken());
        ignored.addAll(breaker.present ? breaker.ignored : retry.ignored);
        // A classifier is not asked for rejections.
        failures.removeIf(Rejected::isOne);
        ignored.removeIf(Rejected::isOne);
        timedRetry = timed.contains(Kind.RETRY) && retry.present && !retry.takesTimeouts();
        timedBreaker = timed.contains(Kind.CIRCUIT_BREAKER) && breaker.present && !breaker.takesTimeouts();
    }

    /** That a timeout is taken here, and not in resilience4j, if it is so. */
    Optional<String> timeouts() {
        if (!timedRetry && !timedBreaker) {
            return Optional.empty();
        }
        boolean perhaps = (timedRetry && retry.hasPredicate()) || (timedBreaker && breaker.hasPredicate());
        return Optional.of("in resilience4j a call that the time limiter ends (" + TIMEOUT + ") "
                + (timedRetry ? "is not repeated" : "")
                + (timedRetry && timedBreaker ? ", and " : "")
                + (timedBreaker ? "is no failure for the circuit breaker" : "")
                + (perhaps ? ", unless a predicate says otherwise" : "")
                + ". Here "
                + (timedRetry ? "the retry repeats it" : "")
                + (timedRetry && timedBreaker ? ", and " : "")
                + (timedBreaker ? "the breaker counts it" : "")
                + ", whatever the classifier says"
                + (timedRetry
                        ? ". Say idempotent(false) for each operation that must not be done twice: then no timeout is"
                                + " repeated, and a refused connection still is (page \"Retry\")"
                        : ""));
    }

    /** The rejections that the retry repeats because its list names them. */
    Set<String> repeatedRejections() {
        return retry.taken().stream().filter(Rejected::isOne).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** The classifier, as a line of the file; empty if there is nothing to say, or nothing that holds for both. */
    Optional<String> line() {
        boolean contradicts = failures.stream().anyMatch(ignored::contains);
        boolean classes = Stream.concat(failures.stream(), ignored.stream())
                .allMatch(name -> CLASS.matcher(name).matches());
        boolean nothing = ignored.isEmpty() && (isOpen() || (retry.listed.isEmpty() && breaker.listed.isEmpty()));
        if (tooMany() || contradicts || !classes || nothing) {
            return Optional.empty();
        }
        Set<String> all = new LinkedHashSet<>(ignored);
        if (!isOpen()) {
            // What is in no list is not repeated, and a fallback may answer it. Not all is as in resilience4j: see
            // uncounted.
            all.add(THROWABLE);
        }
        return Optional.of("classifier: { "
                + Stream.of(list("failures", failures), list("ignored", all))
                        .filter(list -> !list.isEmpty())
                        .collect(Collectors.joining(", "))
                + " }");
    }

    /** That the line does not count what the breaker counts as a success in resilience4j, if it is so. */
    Optional<String> uncounted() {
        return breaker.present && !isOpen() && !ignored.contains(THROWABLE) && line().isPresent()
                ? Optional.of(
                        "an exception in no list is a success in resilience4j. In the line below java.lang.Throwable"
                                + " is ignored: it does not count, so that the breaker may open earlier, and a half-open one"
                                + " waits for other outcomes. If no fallback has to answer such exceptions, move it to"
                                + " `successes: [java.lang.Throwable]`: then they count as before")
                : Optional.empty();
    }

    /** What the lists name and resilience4j ignores nevertheless, or perhaps, if there is any. */
    Optional<String> covered() {
        Set<String> covered = new LinkedHashSet<>(retry.listed);
        covered.addAll(breaker.listed);
        covered.removeAll(failures);
        covered.removeIf(Rejected::isOne);
        if (line().isEmpty() || (covered.isEmpty() && !retry.isUnclear() && !breaker.isUnclear())) {
            return Optional.empty();
        }
        return Optional.of((covered.isEmpty() ? "note: " : "left out: " + joined(covered) + "; ")
                + "resilience4j ignores a class below one that ignore-exceptions names, also if another list names it"
                + (covered.isEmpty() ? ". Not all classes are here: take such classes out of `failures`" : ""));
    }

    /** How the two differ in resilience4j, if they do. */
    Optional<String> difference() {
        if (!retry.present || !breaker.present || tooMany() || retry.says().equals(breaker.says())) {
            return Optional.empty();
        }
        String both = line().isEmpty()
                ? "Without one, both take every exception"
                        + (retry.ignored.isEmpty()
                                ? ""
                                : ". With `ignored: [" + joined(retry.ignored)
                                        + "]` in a classifier it is not repeated, and the breaker does not count it either")
                : "With the line below, both take "
                        + (isOpen() ? "every exception" : failures.isEmpty() ? "none" : joined(failures))
                        + (ignored.isEmpty() ? "" : ", but not " + joined(ignored))
                        + (timeouts().isPresent() ? "; and timeouts of the pipeline in any case" : "");
        return Optional.of("in resilience4j the retry repeats " + retry.says() + "; the circuit breaker counts "
                + breaker.says() + ". Here one classifier holds for both. " + both);
    }

    /** Whether one of the two takes exceptions that no list has. */
    private boolean isOpen() {
        return retry.isOpen() || breaker.isOpen();
    }

    private boolean tooMany() {
        return failures.size() + ignored.size() + retry.ignored.size() > MOST_CLASSES;
    }

    private static String list(String key, Set<String> classes) {
        return classes.isEmpty() ? "" : key + ": [" + joined(classes) + "]";
    }

    private static String joined(Set<String> classes) {
        return classes.stream().map(Text::shown).collect(Collectors.joining(", "));
    }

    /** What one of the two takes for a failure in resilience4j. */
    private static final class Taken {
        private final boolean present;
        private final boolean predicate;
        private final boolean ignorePredicate;
        private final Set<String> listed = new LinkedHashSet<>();
        private final Set<String> ignored = new LinkedHashSet<>();

        Taken(@Nullable Settings settings, String list, String predicateName) {
            present = settings != null;
            predicate = settings != null && settings.has(predicateName);
            ignorePredicate = settings != null && settings.has("ignore-exception-predicate");
            if (settings != null) {
                listed.addAll(settings.listed(list));
                ignored.addAll(settings.listed("ignore-exceptions"));
            }
        }

        /** A predicate adds to the list, and nobody knows what. */
        boolean isOpen() {
            return present && (listed.isEmpty() || predicate || taken().contains(THROWABLE));
        }

        /** Whether it surely takes what a time limiter throws. */
        boolean takesTimeouts() {
            return !ignorePredicate
                    && !isIgnored(TIMEOUT)
                    && (listed.isEmpty()
                            ? !predicate
                            : listed.stream()
                                    .flatMap(Taken::find)
                                    .anyMatch(above -> above.isAssignableFrom(TimeoutException.class)));
        }

        boolean hasPredicate() {
            return predicate || ignorePredicate;
        }

        /** The listed classes without those that are ignored: there, a superclass that is ignored counts first. */
        List<String> taken() {
            return listed.stream().filter(name -> !isIgnored(name)).toList();
        }

        private boolean isIgnored(String name) {
            return ignored.contains(name)
                    || ignored.contains(THROWABLE)
                    || ignored.stream()
                            .flatMap(Taken::find)
                            .anyMatch(above -> find(name).anyMatch(above::isAssignableFrom));
        }

        /** Whether a class is not here, so that nobody knows what is above or below it. */
        boolean isUnclear() {
            return !ignored.isEmpty()
                    && !taken().isEmpty()
                    && Stream.concat(taken().stream(), ignored.stream())
                            .anyMatch(name -> find(name).findAny().isEmpty());
        }

        /** Nothing of the class runs: it is not initialised. */
        private static Stream<Class<?>> find(String name) {
            try {
                return Stream.of(Class.forName(name, false, Lists.class.getClassLoader()));
            } catch (ClassNotFoundException | LinkageError notHere) {
                return Stream.empty();
            }
        }

        String says() {
            List<String> taken = new ArrayList<>();
            if (!listed.isEmpty()) {
                taken.add(joined(listed));
            }
            if (predicate) {
                taken.add("what its predicate says");
            }
            String but = Stream.of(joined(ignored), ignorePredicate ? "what its predicate ignores" : "")
                    .filter(text -> !text.isEmpty())
                    .collect(Collectors.joining(" and "));
            return (taken.isEmpty() ? "every exception" : String.join(" and ", taken))
                    + (but.isEmpty() ? "" : ", but not " + but);
        }
    }
}
