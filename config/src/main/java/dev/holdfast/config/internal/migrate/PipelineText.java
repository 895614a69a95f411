/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes one pipeline of all instances of one name. */
final class PipelineText {
    private final Source source;
    private final String name;
    private final String pipeline;
    private final Map<Kind, Settings> given = new EnumMap<>(Kind.class);
    private final Lists lists;

    PipelineText(Source source, String name) {
        this.source = source;
        this.name = name;
        this.pipeline = source.pipeline(name);
        for (Kind kind : Kind.values()) {
            source.settings(kind, name).ifPresent(settings -> given.put(kind, settings));
        }
        // First: the sections take the settings.
        lists = new Lists(given, timed());
    }

    void print(Printed out) {
        out.line(1, Text.key(pipeline) + ":");
        if (!pipeline.equals(name)) {
            out.comment(
                    2,
                    "note: no pipeline here can have the name " + Text.shown(name)
                            + ": ${ is for placeholders, and what follows a / is a key of the pipeline before it (page \"The"
                            + " configuration file\")");
        }
        List<String> spellings = source.spellings(name);
        if (!spellings.isEmpty()) {
            out.comment(
                    2,
                    "note: for Spring, " + Text.shown(String.join(", ", spellings)) + " is the same name, and has"
                            + " the same settings. Delete the pipelines that your code does not ask for");
        }
        traps().forEach(trap -> out.comment(2, "trap: " + trap));
        Settings pool = given.get(Kind.THREAD_POOL);
        if (pool != null && given.containsKey(Kind.BULKHEAD)) {
            out.comment(
                    2,
                    "note: a pipeline has one bulkhead. Your code says whether it uses that or the"
                            + " thread-pool-bulkhead; dedicated-threads: true makes threads (page \"Bulkhead\")");
            pool.rest().forEach(each -> out.comment(2, "left out: thread-pool-bulkhead, " + each.shown()));
            pool.idle().forEach(each -> out.comment(2, each));
            given.remove(Kind.THREAD_POOL);
        }
        ofCodeAlone(out);
        order(out);
        methodsWithoutRetry(out);
        classifier(out);
        given.forEach((kind, settings) -> out.section(2, kind.section(), section(kind, settings)));
    }

    /** What the lists of exceptions mean, as a line that can be made one of the file. */
    private void classifier(Printed out) {
        lists.timeouts().ifPresent(trap -> out.comment(2, "trap: " + trap));
        lists.difference().ifPresent(trap -> out.comment(2, "trap: " + trap));
        lists.uncounted().ifPresent(changed -> out.comment(2, "changed: " + changed));
        lists.covered().ifPresent(covered -> out.comment(2, covered));
        lists.line().ifPresent(line -> {
            out.comment(2, "note: the lists of exceptions, for all policies, if the classes are on the class path:");
            // In one line and without a blank, so that taking the # away is enough.
            out.line(2, "#" + line);
        });
    }

    private Section section(Kind kind, Settings settings) {
        return switch (kind) {
            case RETRY -> RetrySection.of(settings, lists.repeatedRejections(), repeatsRejections());
            case CIRCUIT_BREAKER -> BreakerSection.of(settings, permitsInside(kind), isRetried());
            case RATE_LIMITER -> OtherSections.throttle(settings);
            case BULKHEAD -> OtherSections.bulkhead(settings);
            case THREAD_POOL ->
                OtherSections.threadPool(
                        settings,
                        Optional.ofNullable(given.get(Kind.TIME_LIMITER)).map(OtherSections::timeLimit));
            case TIME_LIMITER -> OtherSections.timeout(settings);
        };
    }

    /** Whether a policy inside the retry makes rejections that the retry's list names. */
    private boolean repeatsRejections() {
        return given.keySet().stream()
                .filter(this::isInsideRetry)
                .anyMatch(kind ->
                        lists.repeatedRejections().stream().anyMatch(exception -> Rejected.isBy(exception, kind)));
    }

    private boolean isInsideRetry(Kind kind) {
        return source.aspectOrder(Kind.RETRY) < source.aspectOrder(kind);
    }

    /** Of the two kinds with lists, those outside the time limiter of the file, or of one that only code names. */
    private Set<Kind> timed() {
        boolean limited =
                given.containsKey(Kind.TIME_LIMITER) || timeoutOfCodeAlone().isPresent();
        return Stream.of(Kind.RETRY, Kind.CIRCUIT_BREAKER)
                .filter(kind -> limited && source.aspectOrder(kind) < source.aspectOrder(Kind.TIME_LIMITER))
                .collect(Collectors.toSet());
    }

    private boolean isRetried() {
        return given.containsKey(Kind.RETRY) && isInsideRetry(Kind.CIRCUIT_BREAKER);
    }

    /** Those of the bulkhead, if it is inside the other kind; else more than anybody needs. */
    private long permitsInside(Kind outer) {
        return Stream.of(Kind.BULKHEAD, Kind.THREAD_POOL)
                .filter(inner -> source.aspectOrder(outer) < source.aspectOrder(inner))
                .flatMap(inner -> Optional.ofNullable(given.get(inner)).stream())
                .map(OtherSections::permits)
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    /** An annotation with a name that the file does not have under its kind: there it gets the kind's default config. */
    private void ofCodeAlone(Printed out) {
        List<String> sections = given.keySet().stream().map(Kind::section).toList();
        String others = Stream.of(Kind.RETRY, Kind.CIRCUIT_BREAKER, Kind.RATE_LIMITER, Kind.BULKHEAD)
                .filter(kind -> !sections.contains(kind.section())
                        && source.defaults(kind).isPresent())
                .map(this::annotation)
                .collect(Collectors.joining(" or "));
        if (!others.isEmpty()) {
            out.comment(
                    2,
                    "note: if your code has " + others
                            + ", resilience4j gives it configs.default of its kind. Then write"
                            + " an instance of this name into your file, and run the command again");
        }
        timeoutOfCodeAlone().ifPresent(limit -> {
            out.comment(
                    2,
                    "note: if your code has " + annotation(Kind.TIME_LIMITER)
                            + ", its limit is that of configs.default:");
            out.line(2, "#timeout: " + limit + " # if so, take the first # away");
        });
    }

    private String annotation(Kind kind) {
        return "@" + kind.annotation() + "(\"" + Text.shown(name) + "\")";
    }

    /** The limit that resilience4j has for a time limiter that only code names. */
    private Optional<String> timeoutOfCodeAlone() {
        return given.containsKey(Kind.TIME_LIMITER)
                ? Optional.empty()
                : source.defaults(Kind.TIME_LIMITER).map(OtherSections::timeLimit);
    }

    private List<String> traps() {
        List<String> traps = new ArrayList<>();
        rejection(Kind.CIRCUIT_BREAKER, Kind.BULKHEAD, "BulkheadFullException", "full bulkhead", traps);
        rejection(Kind.CIRCUIT_BREAKER, Kind.THREAD_POOL, "BulkheadFullException", "full thread pool", traps);
        rejection(Kind.CIRCUIT_BREAKER, Kind.RATE_LIMITER, "RequestNotPermitted", "used-up rate limiter", traps);
        rejection(Kind.RETRY, Kind.CIRCUIT_BREAKER, "CallNotPermittedException", "", traps);
        boolean limited = given.containsKey(Kind.TIME_LIMITER);
        boolean permits = given.containsKey(Kind.BULKHEAD) || given.containsKey(Kind.THREAD_POOL);
        if (limited && permits && !source.hasAspectOrder(Kind.TIME_LIMITER) && !source.hasAspectOrder(Kind.BULKHEAD)) {
            traps.add(
                    "resilience4j's time limit is outside the bulkhead: the wait for a permit uses up its time. Here the"
                            + " timeout limits the work alone, and the permit stays with the work");
        }
        if (!limited && !given.keySet().equals(Set.of(Kind.RATE_LIMITER))) {
            traps.add("no time limit" + (timeoutOfCodeAlone().isPresent() ? " in the file" : "")
                    + ": a call that hangs is not ended. Add a timeout (page \"Timeout\")");
        } else if (given.containsKey(Kind.RETRY)) {
            traps.add("nothing limits the whole call: attempts and waits add up. Add a deadline (page \"Deadline\")");
        }
        return traps;
    }

    /** What the outer one of the two takes for a failure of the dependency, if it is outside the other in resilience4j. */
    private void rejection(Kind outer, Kind inner, String exception, String what, List<String> traps) {
        Settings settings = given.get(outer);
        boolean outside = given.containsKey(inner) && source.aspectOrder(outer) < source.aspectOrder(inner);
        if (settings == null || !outside) {
            return;
        }
        if (outer == Kind.RETRY
                && settings.counts(exception, "retry-exceptions", "ignore-exceptions")
                && !repeatsRejections()) {
            traps.add("resilience4j's retry repeats the rejections of an open breaker. Here rejections are not repeated"
                    + " (page \"Retry\")");
        } else if (outer != Kind.RETRY && settings.counts(exception, "record-exceptions", "ignore-exceptions")) {
            traps.add("in resilience4j a " + what + " counts as a failure of the dependency (" + exception
                    + ") and opens the breaker. Here rejections do not count");
        }
    }

    /** In resilience4j a retry belongs to a method, and here to a pipeline. */
    private void methodsWithoutRetry(Printed out) {
        Set<Kind> others = new TreeSet<>(given.keySet());
        if (others.remove(Kind.RETRY) && !others.isEmpty()) {
            // An inherited order would name the retry.
            String order = isOrdered() ? ", " + order(others) : "";
            out.comment(
                    2,
                    "note: methods without " + annotation(Kind.RETRY)
                            + " get this retry here, too. Give them a pipeline of their own:"
                            + " `{ extends: " + Text.key(pipeline) + ", without: [retry]" + order
                            + " }`. Its breaker and limits are its own, unless they are `shared` (page \"The configuration"
                            + " file\")");
        }
    }

    private String order(Set<Kind> kinds) {
        return sorted(kinds).map(Kind::section).collect(Collectors.joining(", ", "order: [", "]"));
    }

    private Stream<Kind> sorted(Set<Kind> kinds) {
        return kinds.stream().sorted(Comparator.comparingLong(source::aspectOrder));
    }

    /** Whether the file has an order of the aspects that is not ours. */
    private boolean isOrdered() {
        return given.keySet().stream().anyMatch(source::hasAspectOrder)
                && !sorted(given.keySet()).toList().equals(List.copyOf(given.keySet()));
    }

    private void order(Printed out) {
        if (isOrdered()) {
            Optional<Given> perhaps = given.keySet().stream()
                    .flatMap(kind -> source.aspect(kind).stream())
                    .filter(aspect -> aspect.part().isConditional())
                    .findFirst();
            out.line(
                    2,
                    order(given.keySet()),
                    perhaps.map(Given::kept).orElse("kept") + ": the aspect orders"
                            + perhaps.map(Given::origin).orElse("") + ". The least number is outermost"
                            + " there. Without this line the order is the default one (page \"The configuration file\"). The pipeline warns"
                            + " of an order that does harm. It must name every section: with a `deadline` or a `fallback`, write these"
                            + " into it, too, the first ones");
        }
    }
}
