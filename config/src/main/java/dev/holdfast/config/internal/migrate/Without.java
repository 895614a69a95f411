/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The settings of resilience4j that no section has: why, and what to do instead. */
final class Without {
    private static final String METRICS = "without meaning: meters and events are those of Holdfast (page \"Metrics\")";
    private static final String HEALTH = "without meaning: there is no health indicator by default; with"
            + " Spring Boot see Health (page \"Spring Boot\")";
    private static final String CLASSIFIER = "in code: the pipeline's classifier says it, for all policies;"
            + " without one, every exception is a failure (page \"Classifier\")";

    private static final String WAITS = "in code: bind an IntervalFunction, and name it here as"
            + " wait-interval-function-in-open-state (page \"Circuit breaker\")";

    private static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("eventconsumerbuffersize", METRICS),
            Map.entry("subscribeforevents", METRICS),
            Map.entry("tags", METRICS),
            Map.entry("metrics", METRICS),
            Map.entry("registerhealthindicator", HEALTH),
            Map.entry("allowhealthindicatortofail", HEALTH),
            Map.entry(
                    "writablestacktraceenabled",
                    "without meaning: rejections have no stack trace, unless the JVM runs"
                            + " with -Ddev.holdfast.stack-traces=true"),
            Map.entry("ignoreclassbindingexceptions", "without meaning: a file names no classes"),
            Map.entry(
                    "failaftermaxattempts",
                    "without meaning: the caller always gets the last outcome (page \"Retry\")"),
            Map.entry("keepaliveduration", "without meaning: an idle thread of the bulkhead ends by itself"),
            Map.entry("contextpropagators", "in code: register it as context (page \"Context\")"),
            Map.entry(
                    "consumeresultbeforeretryattempt",
                    "in code: the operation's discard gets such a value" + " (page \"Retry\")"),
            Map.entry("intervalbifunction", "in code: bind a function, and name it here as interval (page \"Retry\")"),
            Map.entry("enablerandomizedwait", WAITS),
            Map.entry("randomizedwaitfactor", WAITS),
            Map.entry("recordexceptions", CLASSIFIER),
            Map.entry("ignoreexceptions", CLASSIFIER),
            Map.entry("recordfailurepredicate", CLASSIFIER),
            Map.entry("recordresultpredicate", CLASSIFIER),
            Map.entry("ignoreexceptionpredicate", CLASSIFIER),
            Map.entry("retryexceptions", CLASSIFIER),
            Map.entry("retryexceptionpredicate", CLASSIFIER),
            Map.entry("resultpredicate", CLASSIFIER));

    private static final Map<String, String> OTHERS = Map.of(
            "micrometer", METRICS,
            "endpoints", METRICS,
            "thread", "without meaning: waits and limits need no threads of their own",
            "scheduled", "without meaning: waits and limits need no threads of their own",
            "cache", "left out: the stale cache has settings of its own (page \"Stale cache\")");

    private static final Pattern ABOUT_RESILIENCE4J =
            Pattern.compile("resilience4j|(^|\\.)(circuitbreakers|ratelimiters)(\\.|$)");

    private Without() {}

    /** What becomes of a setting that no section has. */
    static String of(Given given) {
        String known = SETTINGS.get(given.canonical());
        String group = SETTINGS.get(given.canonical().replaceAll("\\..*", ""));
        if (known != null && given.text().isEmpty()) {
            return given.kept() + ": " + given.shown() + "; it is empty, so that none is inherited";
        }
        String why = known != null ? known : group != null ? group : "unknown: resilience4j 2.4.0 has no such setting";
        return comment(why, given.shown());
    }

    /** What becomes of a setting of resilience4j that is none of its six kinds. */
    static String ofOthers(Written setting) {
        String group = Text.canonical(Document.elements(setting.name()).get(1));
        String why = OTHERS.getOrDefault(group, "unknown: resilience4j 2.4.0 has no such setting");
        return comment(why, setting.shown());
    }

    /** What becomes of a setting of the application that speaks of resilience4j, if it does. */
    static Optional<String> ofApplication(Written setting) {
        String name = Text.canonical(setting.name());
        if (!ABOUT_RESILIENCE4J.matcher(name).find()) {
            return Optional.empty();
        }
        String why = name.startsWith("management.metrics.")
                ? METRICS
                : name.startsWith("management.health.")
                        ? HEALTH
                        : "in code: it speaks of resilience4j. Take it out, or find what takes its place";
        return Optional.of(comment(why, setting.shown()));
    }

    private static String comment(String why, String setting) {
        int colon = why.indexOf(':');
        return why.substring(0, colon) + ": " + setting + ";" + why.substring(colon + 1);
    }
}
