/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static dev.holdfast.benchmarks.Library.BUCKET4J;
import static dev.holdfast.benchmarks.Library.FAILSAFE;
import static dev.holdfast.benchmarks.Library.GRADIENT2;
import static dev.holdfast.benchmarks.Library.GUAVA;
import static dev.holdfast.benchmarks.Library.HOLDFAST;
import static dev.holdfast.benchmarks.Library.RESILIENCE4J;
import static dev.holdfast.benchmarks.Library.RESILIENCE4J_LOCK_FREE;
import static dev.holdfast.benchmarks.Library.RESILIENCE4J_SYNCHRONIZED;
import static dev.holdfast.benchmarks.Library.SCHEDULED_TASK;
import static dev.holdfast.benchmarks.Library.SMALLRYE;
import static dev.holdfast.benchmarks.Library.UNBUDGETED;
import static dev.holdfast.benchmarks.Library.UNLIMITED;
import static dev.holdfast.benchmarks.Library.VEGAS;

import java.util.ArrayList;
import java.util.List;

/** The comparisons: the same work under the same conditions by Holdfast and by each peer that can do it. */
public enum Scenario {
    FOUR(Work.FOUR, "four policies (retry, breaker, throttle, bulkhead)", FAILSAFE, SMALLRYE),
    FOUR_MICROMETER(Work.FOUR, "four policies, Micrometer on both sides"),
    TIMED_BREAKER(
            Work.TIMED_BREAKER,
            "our breaker alone in a pipeline against its breaker alone, time window of 10 s",
            FAILSAFE),
    FOUR_FAILING_1(Work.FOUR, "four policies, 1 % of calls fail", FAILSAFE, SMALLRYE),
    FOUR_FAILING_10(Work.FOUR, "four policies, 10 % of calls fail", FAILSAFE, SMALLRYE),
    OPEN_BREAKER(Work.OPEN_BREAKER, "open breaker, rejected call", FAILSAFE, SMALLRYE),
    FOUR_POLLUTED(Work.FOUR, "four policies, eight mixed pipelines in the JVM (polluted profile)"),
    SIX(Work.SIX, "six policies (the four, timeout and deadline) against its four and its TimeLimiter on an executor"),
    FOUR_ASYNC(Work.FOUR_ASYNC, "four policies, asynchronous, future done already"),
    BREAKER(Work.BREAKER, "breaker alone, count window of 100", FAILSAFE, SMALLRYE),
    RETRY(Work.RETRY, "retry alone", UNBUDGETED, FAILSAFE, SMALLRYE),
    THROTTLE(Work.THROTTLE, "throttle alone", FAILSAFE, SMALLRYE, BUCKET4J, GUAVA),
    BULKHEAD(Work.BULKHEAD, "bulkhead alone", FAILSAFE, SMALLRYE, VEGAS, GRADIENT2),
    LIMITS(Work.LIMITS, "timeout and deadline", UNLIMITED, SCHEDULED_TASK, FAILSAFE),
    INHERITED(Work.INHERITED, "a call that inherits its thread's deadline", UNLIMITED),
    NESTED(Work.NESTED, "a call inside a call, whose deadline it inherits", UNLIMITED);

    /** The rows that the targets speak of. */
    static final List<Scenario> TARGETS = List.of(
            FOUR, FOUR_MICROMETER, TIMED_BREAKER, FOUR_FAILING_1, FOUR_FAILING_10, OPEN_BREAKER, FOUR_POLLUTED, SIX);

    private final Work work;
    private final String title;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable, only its type does not say so
    private final List<Library> others;

    Scenario(Work work, String title, Library... others) {
        this.work = work;
        this.title = title;
        this.others = List.of(others);
    }

    Work work() {
        return work;
    }

    String title() {
        return title;
    }

    /** Those who do this work: {@link #withResilience4j}, then the other peers. */
    List<Library> libraries() {
        List<Library> all = new ArrayList<>(withResilience4j());
        all.addAll(others);
        return all;
    }

    /** Holdfast and resilience4j; where a breaker takes part, in both of its variants. */
    List<Library> withResilience4j() {
        return switch (work) {
            case LIMITS, INHERITED, NESTED -> List.of(HOLDFAST);
            case RETRY, THROTTLE, BULKHEAD -> List.of(HOLDFAST, RESILIENCE4J);
            case BREAKER, TIMED_BREAKER, OPEN_BREAKER, FOUR, FOUR_ASYNC, SIX ->
                List.of(HOLDFAST, RESILIENCE4J_SYNCHRONIZED, RESILIENCE4J_LOCK_FREE);
        };
    }

    /** Every how many attempts one fails; 0: none does. 100 calls of which one fails at first make 101 attempts. */
    int failsEvery() {
        return switch (this) {
            case FOUR_FAILING_1 -> 101;
            case FOUR_FAILING_10 -> 11;
            default -> 0;
        };
    }

    boolean micrometer() {
        return this == FOUR_MICROMETER;
    }

    Profile profile() {
        return this == FOUR_POLLUTED ? Profile.POLLUTED : Profile.CLEAN;
    }
}
