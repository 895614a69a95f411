/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static dev.holdfast.internal.Checks.number;
import static dev.holdfast.internal.Checks.text;

import dev.holdfast.PipelineSnapshot.Advice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Compares settings with what an hour of traffic has shown. Says nothing below {@link #LEAST} samples. */
final class TrafficLint {
    /** Fewer show nothing. */
    static final int LEAST = 1_000;

    /** All rules; their names are values of a tag. */
    static final List<String> RULES = List.of(
            "timeout-cuts-off",
            "timeout-far-too-long",
            "bulkhead-hardly-used",
            "bulkhead-too-small",
            "throttle-too-low",
            "retries-in-vain",
            "stale-cache-without-keys");

    private static final String REQUESTS = "stalecache.requests{kind=";

    private static final double FEW = 0.005;
    private static final double SOME = 0.01;
    private static final double MANY = 0.95;
    private static final double HALF = 0.5;
    /** A timeout this many times as long as nearly all answers. */
    private static final int FAR = 10;

    private final SettingsOf settings;
    private final Traffic.Hour hour;
    private final List<Advice> advice = new ArrayList<>();
    private final long answers;

    private TrafficLint(Traffic.Hour hour) {
        settings = new SettingsOf(hour.policies);
        this.hour = hour;
        answers = hour.attempts(Outcome.SUCCESS);
    }

    static List<Advice> check(Traffic.Hour hour) {
        TrafficLint lint = new TrafficLint(hour);
        lint.timeout();
        lint.unusedPermits();
        lint.rejections("bulkhead", "bulkhead-too-small", Reason.BULKHEAD_FULL, "give it more permits or a queue");
        // These reject for the same reason.
        if (!lint.settings.has("gate") && !lint.settings.has("adaptive-throttle")) {
            lint.rejections("throttle", "throttle-too-low", Reason.THROTTLED, "raise its limit, burst or max-wait");
        }
        lint.retries();
        lint.keys();
        return List.copyOf(lint.advice);
    }

    private void say(String rule, long samples, String reason, String remedy) {
        advice.add(new Advice(rule, reason, remedy, samples));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    /** Never too short: rounded up to a tenth of a millisecond, from 10 ms on to a whole one. */
    private static String roundedUp(long nanos) {
        long step = nanos < 10_000_000 ? 100_000 : 1_000_000;
        return text(Duration.ofNanos((nanos + step - 1) / step * step));
    }

    private void timeout() {
        settings.time("timeout", "limit").ifPresent(limit -> {
            long cut = hour.cut();
            long ended = hour.attempts();
            double share = (double) cut / ended;
            if (answers >= LEAST && share >= FEW && share <= HALF) {
                say(
                        "timeout-cuts-off",
                        ended,
                        "the timeout of " + text(limit) + " ended " + percent(share) + " of " + number(ended)
                                + " attempts, and half of the answers came within "
                                + roundedUp(hour.answeredWithin(HALF)),
                        "make it longer if the dependency answers late; leave it if the dependency hangs");
            }
            long nearlyAll = hour.answeredWithin(0.999);
            if (answers >= LEAST && cut == 0 && limit.toNanos() / FAR >= nearlyAll) {
                say(
                        "timeout-far-too-long",
                        answers,
                        "99.9 % of " + number(answers) + " answers came within " + roundedUp(nearlyAll)
                                + ", and the timeout is " + text(limit)
                                + ": a call that hangs holds its thread and its permit so long",
                        "make it shorter, such as " + roundedUp(Math.max(1_000_000, 3 * nearlyAll)));
            }
        });
    }

    private void unusedPermits() {
        int permits = hour.permits;
        long looks = hour.looks.sum();
        int most = hour.mostInFlight.get();
        if (looks >= LEAST && 5 * most < permits) {
            say(
                    "bulkhead-hardly-used",
                    looks,
                    number(permits) + " permits, and never more than " + number(most) + " in use in " + number(looks)
                            + " looks: a dependency that hangs may take " + number(permits)
                            + " threads before the bulkhead"
                            + " turns a call away",
                    "make it smaller, such as " + number(Math.max(2, 3 * most)));
        }
    }

    private void rejections(String kind, String rule, Reason reason, String remedy) {
        long rejected = hour.rejections(reason).sum();
        long attempts = hour.attempts();
        long tries = attempts + hour.rejected();
        boolean well = attempts >= LEAST && answers >= MANY * attempts;
        if (settings.has(kind) && tries >= LEAST && rejected >= SOME * tries && well) {
            say(
                    rule,
                    tries,
                    "the " + kind + " turned away " + percent((double) rejected / tries) + " of " + number(tries)
                            + " tries, and " + percent((double) answers / attempts) + " of the attempts succeeded",
                    remedy + ", if the dependency can bear it");
        }
    }

    private void retries() {
        long retried = hour.retried.sum();
        long well = hour.retriedWell.sum();
        // A hedge is another attempt, too.
        boolean retries = settings.has("retry") && !settings.has("hedge");
        if (retries && retried >= LEAST && well < 0.1 * retried) {
            say(
                    "retries-in-vain",
                    retried,
                    "of " + number(retried) + " calls with more than one attempt " + number(well)
                            + " ended with an answer that is SUCCESS or IGNORED",
                    "let the classifier call IGNORED what another attempt does not change, or make the waits longer");
        }
    }

    /** What the cache has counted since it was made, and so about the hour, too. */
    private void keys() {
        hour.policies.stream()
                .filter(policy -> policy.name().equals("stale-cache"))
                .map(Numbers::of)
                .forEach(numbers -> {
                    long calls = numbers.entrySet().stream()
                            .filter(number -> number.getKey().startsWith(REQUESTS))
                            .mapToLong(number -> number.getValue().longValue())
                            .sum();
                    long withoutKey =
                            numbers.getOrDefault(REQUESTS + "no_key}", 0).longValue();
                    if (withoutKey >= LEAST && withoutKey == calls) {
                        say(
                                "stale-cache-without-keys",
                                calls,
                                "none of " + number(calls) + " calls had a key, so the stale cache was never used",
                                "decorate a function, whose argument is the key, or call an operation with key(...)");
                    }
                });
    }
}
