/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static dev.holdfast.testing.Step.error;
import static dev.holdfast.testing.Step.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The tests that every policy must pass. Whatever happens around and inside a policy, each entry is settled exactly once and
 * ended exactly once, or abandoned once. Afterwards nothing is held, and the next call gets through.
 *
 * <p>Each test runs through {@code call} and {@code callAsync}, on virtual time, and on each {@linkplain ThreadKind kind of
 * thread} that the JVM has. A subclass tests a policy:
 *
 * <pre>{@code
 * class BulkheadContractTest extends PolicyContract {
 *     protected Policy policy() {
 *         return BulkheadPolicy.of(b -> b.maxConcurrentCalls(10));
 *     }
 *
 *     protected void assertNothingHeld(Policy policy) {
 *         assertThat(((BulkheadPolicy) policy).inFlight()).isZero();
 *     }
 *
 *     protected int notAskedFor() {
 *         return Policy.SUCCESS | Policy.FAILURE; // for a limit that adapts, which this one does not
 *     }
 * }
 * }</pre>
 */
@ThreadKind.Each
public abstract class PolicyContract {
    private static final Duration SHORT = Duration.ofMillis(5);
    private static final Duration LONG = Duration.ofMillis(20);
    private static final long FIRST_SEED = 20_261_125L;

    /** For subclasses. */
    protected PolicyContract() {}

    /**
     * A fresh policy that lets a healthy call through, and does so again after an hour of quiet at the latest. If its {@code enter}
     * blocks the thread, as a lock does, it needs 10,000 permits: one thread begins as many asynchronous calls, and a test never
     * ends otherwise. A lease must be 10 ms at least: the work of some calls goes on for as long.
     */
    protected abstract Policy policy();

    /** Fails if the policy holds anything for a call: all permits, probes, reservations and flights are back. */
    protected abstract void assertNothingHeld(Policy policy);

    /** The attempts of a call that the dependency answers well after 5 ms. Default 1; policies that make more override it. */
    protected int attemptsOfAHealthyCall() {
        return 1;
    }

    /**
     * The flags, such as {@link Policy#SUCCESS}, of methods that the policy has, and with the settings of {@link #policy} does not
     * ask for. Default: none.
     */
    protected int notAskedFor() {
        return 0;
    }

    /**
     * Whether {@code settle} gives back what the policy holds for a call, also while the work of the call goes on after a timeout:
     * it stands for a result, such as a load of a cache, and not for work. Default: false.
     */
    protected boolean givesBackInSettle() {
        return false;
    }

    private Bench bench() {
        return new Bench(policy());
    }

    /** A method without its flag is never called, and nothing else tells. */
    @Test
    final void eachMethodThatIsOverriddenIsAskedFor() {
        Policy policy = policy();
        int asked = policy.hears() | notAskedFor();
        assertThat(Stream.of(Policy.class.getMethods())
                        .filter(method -> flags(method.getName()) != 0 && (flags(method.getName()) & asked) == 0)
                        .filter(method -> isOverridden(method, policy.getClass()))
                        .map(Method::getName))
                .as("methods of %s that are never called: its constructor gives no flag for them", policy)
                .isEmpty();
    }

    private static int flags(String method) {
        return switch (method) {
            case "enter" -> Policy.ENTER;
            case "settle" -> Policy.SUCCESS | Policy.FAILURE;
            case "ended" -> Policy.ENDED;
            case "stillAdmits" -> Policy.STILL_ADMITS;
            case "overdue", "overdueRunsUserCode" -> Policy.OVERDUE;
            case "hedge", "hedgeBegun", "hedgeNotMade" -> Policy.HEDGE;
            case "attemptStarts", "attemptEnds" -> Policy.ATTEMPTS;
            default -> 0;
        };
    }

    private static boolean isOverridden(Method method, Class<? extends Policy> by) {
        try {
            return by.getMethod(method.getName(), method.getParameterTypes()).getDeclaringClass() != Policy.class;
        } catch (NoSuchMethodException e) {
            throw new AssertionError("a subclass has all methods", e);
        }
    }

    @Test
    final void metersSettingsAndWarningsCanBeRead() {
        try (Bench bench = bench()) {
            assertThat(bench.run(Driver.ASYNC, value("well").after(SHORT))).isDone();
            bench.policy.meters(new ReadMeters());
            assertThat(bench.policy.settingsMap())
                    .as("settings")
                    .doesNotContainKey(null)
                    .doesNotContainValue(null);
            assertThat(bench.policy.warnings())
                    .as("warnings")
                    .allSatisfy(warning -> assertThat(warning)
                            .as("the name of its rule, a colon, and a sentence")
                            .matches("[^ :]+: .+"));
            verify(bench, Driver.ASYNC);
        }
    }

    /** After a timeout the work may go on, and what is held for it must not serve the next call as long as it does. */
    @Test
    final void whatIsHeldForWorkComesBackWhenTheWorkIsOver() {
        try (Bench bench = bench().inside(TimeoutPolicy.of(SHORT))) {
            Driver.Running running = bench.start(
                    Driver.ASYNC, bench.script(value("late").after(LONG).stubbornly()));
            bench.time.advance(SHORT.dividedBy(2));
            boolean holds = holdsAnything(bench.policy);
            bench.time.advance(SHORT);
            if (holds && running.reply().isDone() && !givesBackInSettle()) {
                assertThat(holdsAnything(bench.policy))
                        .as(
                                "is held while the work of a call goes on that has timed out (give back in ended, not in settle)")
                        .isTrue();
            }
            verify(bench, Driver.ASYNC);
        }
    }

    private boolean holdsAnything(Policy policy) {
        return catchThrowable(() -> assertNothingHeld(policy)) != null;
    }

    private void verify(Bench bench, Driver driver) {
        bench.assertOver();
        assertNothingHeld(bench.policy);
        bench.assertUsable(driver);
        bench.assertOver();
        assertNothingHeld(bench.policy);
    }

    private void runAndVerify(Bench bench, Driver driver, Step... steps) {
        try (bench) {
            assertThat(bench.run(driver, steps)).isDone();
            verify(bench, driver);
        }
    }

    private void giveUpAfterAndVerify(Bench bench, Driver driver, Duration after, Step step) {
        try (bench) {
            ScriptedAction<Object> script = bench.script(step);
            Driver.Running running = bench.start(driver, script);
            bench.time.schedule(after.toNanos(), running.giveUp());
            bench.time.advance(after);
            int startedBefore = script.started();
            bench.time.run();
            assertThat(running.reply()).isDone();
            assertThat(script.started()).as("attempts after it was given up").isEqualTo(startedBefore);
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void healthyCallIsLetThrough(Driver driver) {
        try (Bench bench = bench()) {
            CompletableFuture<Reply<Object>> reply =
                    bench.run(driver, value("well").after(SHORT));
            assertThat(reply.join().value()).isEqualTo("well");
            assertThat(reply.join().attempts()).isEqualTo(attemptsOfAHealthyCall());
            assertThat(bench.inner.entries()).isEqualTo(attemptsOfAHealthyCall());
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void exceptionAtOnceSettlesOnce(Driver driver) {
        runAndVerify(bench(), driver, error(new IOException("at once")));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void exceptionAfterWorkSettlesOnce(Driver driver) {
        runAndVerify(bench(), driver, error(new IOException("late")).after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void errorAtOnceSettlesOnce(Driver driver) {
        runAndVerify(bench(), driver, error(new AssertionError("at once")));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void errorAfterWorkSettlesOnce(Driver driver) {
        runAndVerify(bench(), driver, error(new LinkageError("late")).after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void errorOfTheMachineSettlesOnceAndIsNotRetried(Driver driver) {
        try (Bench bench = bench().around(RetryPolicy.of(r -> r.maxAttempts(3)))) {
            ScriptedAction<Object> script = bench.script(error(new StackOverflowError("deep")));
            bench.start(driver, script);
            bench.time.run();
            assertThat(script.started()).isOne();
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void valueThatIsAFailureSettlesOnce(Driver driver) {
        Classifier strict = (value, error) -> "ill".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        runAndVerify(bench().classifier(strict), driver, value("ill").after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void pushbackSettlesOnce(Driver driver) {
        Verdict busy = Verdict.pushback(Duration.ofSeconds(1));
        Classifier polite = (value, error) -> "busy".equals(value) ? busy : Verdict.SUCCESS;
        runAndVerify(bench().classifier(polite), driver, value("busy").after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void callersOwnFaultSettlesOnce(Driver driver) {
        Classifier own = (value, error) -> error == null ? Verdict.SUCCESS : Verdict.IGNORED;
        runAndVerify(
                bench().classifier(own),
                driver,
                error(new IllegalArgumentException("404")).after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpBeforeItIsEnteredHoldsNothing(Driver driver) {
        giveUpAfterAndVerify(bench().around(TroublePolicy.Kind.PAUSE), driver, SHORT, value("never"));
    }

    /** Also a {@code pause(0)}: where the policy has waited itself, the time of the call may be over then. */
    @ParameterizedTest
    @EnumSource(Driver.class)
    final void pauseThatIsBrokenOffHoldsNothing(Driver driver) {
        try (Bench bench = bench()) {
            bench.spy.breaksPauses(true);
            assertThat(bench.run(driver, value("never"))).isDone();
            assertNothingHeld(bench.policy);
            bench.spy.breaksPauses(false);
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpWhileItWaitsFurtherInSettlesOnce(Driver driver) {
        giveUpAfterAndVerify(bench().inside(TroublePolicy.Kind.PAUSE), driver, SHORT, value("never"));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpInFlightSettlesOnce(Driver driver) {
        giveUpAfterAndVerify(bench(), driver, SHORT, value("late").after(LONG));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpWhileItsWorkGoesOnEndsOnceWithTheWork(Driver driver) {
        giveUpAfterAndVerify(bench(), driver, SHORT, value("late").after(LONG).stubbornly());
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpWhileItsFailingWorkGoesOnEndsOnceWithTheWork(Driver driver) {
        giveUpAfterAndVerify(
                bench(),
                driver,
                SHORT,
                error(new IOException("late")).after(LONG).stubbornly());
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpDuringARetrysWaitSettlesOnce(Driver driver) {
        Bench bench = bench().around(RetryPolicy.of(r -> r.maxAttempts(9).jitter(Jitter.NONE)));
        giveUpAfterAndVerify(bench, driver, SHORT, error(new IOException("again")));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void givenUpAtTheMomentItEndsSettlesOnce(Driver driver) {
        giveUpAfterAndVerify(bench(), driver, SHORT, value("photo finish").after(SHORT));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void deadlineInFlightSettlesOnce(Driver driver) {
        deadline(bench(), driver, value("late").after(LONG));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void deadlineWhileTheWorkGoesOnEndsOnceWithTheWork(Driver driver) {
        deadline(bench(), driver, value("late").after(LONG).stubbornly());
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void deadlineTooShortForAnInnerWaitSettlesOnce(Driver driver) {
        deadline(bench().inside(TroublePolicy.Kind.PAUSE), driver, value("never"));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void deadlineTooShortForAnOuterWaitHoldsNothing(Driver driver) {
        deadline(bench().around(TroublePolicy.Kind.PAUSE), driver, value("never"));
    }

    private void deadline(Bench bench, Driver driver, Step step) {
        try (bench) {
            Driver.Running running = driver.start(bench.time, bench.call().deadline(SHORT), bench.script(step));
            bench.time.run();
            assertThat(running.reply()).isDone();
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void timeoutFurtherInSettlesOnce(Driver driver) {
        runAndVerify(
                bench().inside(TimeoutPolicy.of(SHORT)), driver, value("late").after(LONG));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void timeoutFurtherOutSettlesOnce(Driver driver) {
        runAndVerify(
                bench().around(TimeoutPolicy.of(SHORT)), driver, value("late").after(LONG));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void timeoutWhileTheWorkGoesOnIsRetriedAndEachEntryEndsOnce(Driver driver) {
        Bench bench = bench().around(RetryPolicy.of(r -> r.maxAttempts(3))).inside(TimeoutPolicy.of(SHORT));
        runAndVerify(bench, driver, value("late").after(LONG).stubbornly());
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void rejectionFurtherInSettlesOnce(Driver driver) {
        runAndVerify(bench().inside(TroublePolicy.Kind.REJECT), driver, value("never"));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void rejectionFurtherOutHoldsNothing(Driver driver) {
        try (Bench bench = bench().around(TroublePolicy.Kind.REJECT)) {
            assertThat(bench.run(driver, value("never"))).isDone();
            assertThat(bench.spy.entries()).isZero();
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void errorMadeFurtherInSettlesOnce(Driver driver) {
        runAndVerify(bench().inside(TroublePolicy.Kind.FAIL), driver, value("never"));
    }

    @ParameterizedTest
    @EnumSource(
            value = TroublePolicy.Kind.class,
            mode = EnumSource.Mode.MATCH_ANY,
            names = {".*_THROWS", "STILL_ADMITS_REJECTS"})
    final void layerThatThrowsFurtherInSettlesOnce(TroublePolicy.Kind kind) {
        for (Driver driver : Driver.values()) {
            troubleInside(driver, kind);
        }
    }

    private void troubleInside(Driver driver, TroublePolicy.Kind kind) {
        // The pause inside makes the layers around it be asked again before the attempt.
        Bench bench = bench().inside(kind).inside(TroublePolicy.Kind.PAUSE);
        giveUpAfterAndVerify(bench, driver, SHORT, value("never"));
        runAndVerify(
                bench().inside(kind).inside(TroublePolicy.Kind.PAUSE),
                driver,
                value("x").after(SHORT));
        runAndVerify(bench().inside(kind), driver, error(new IOException("x")));
    }

    @ParameterizedTest
    @EnumSource(
            value = TroublePolicy.Kind.class,
            mode = EnumSource.Mode.MATCH_ANY,
            names = {".*_THROWS", "STILL_ADMITS_REJECTS"})
    final void layerThatThrowsFurtherOutSettlesOnce(TroublePolicy.Kind kind) {
        for (Driver driver : Driver.values()) {
            Bench bench = bench().around(kind).inside(TroublePolicy.Kind.PAUSE);
            giveUpAfterAndVerify(bench, driver, SHORT, value("never"));
            runAndVerify(bench().around(kind).inside(TroublePolicy.Kind.PAUSE), driver, value("x"));
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void classifierThatThrowsSettlesOnce(Driver driver) {
        Classifier broken = (value, error) -> {
            if ("well again".equals(value)) {
                return Verdict.SUCCESS;
            }
            throw new IllegalStateException("classifier");
        };
        runAndVerify(bench().classifier(broken), driver, value("x").after(SHORT));
        runAndVerify(bench().classifier(broken), driver, error(new IOException("x")));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void observerThatThrowsBreaksNothing(Driver driver) {
        ThrowingObserver broken = new ThrowingObserver();
        try (Bench bench = bench().observer(broken.observer()).around(RetryPolicy.of(r -> r.maxAttempts(2)))) {
            CompletableFuture<Reply<Object>> reply =
                    bench.run(driver, value("well").after(SHORT));
            assertThat(reply.join().value()).isEqualTo("well");
            assertThat(bench.run(driver, error(new IOException("ill")).after(SHORT)))
                    .isDone();
            assertThat(broken.told()).isPositive();
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void retryAroundEntersAnewAndSettlesEachEntryOnce(Driver driver) {
        try (Bench bench = bench().around(RetryPolicy.of(r -> r.maxAttempts(3)))) {
            assertThat(bench.run(
                            driver,
                            error(new IOException("1")),
                            error(new IOException("2")).after(SHORT),
                            value("third")))
                    .isDone();
            assertThat(bench.spy.settlements()).isGreaterThanOrEqualTo(bench.spy.ends());
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void retryInsideIsPartOfOneEntry(Driver driver) {
        try (Bench bench = bench().inside(RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO)))) {
            Step[] steps = {
                error(new IOException("1")), error(new IOException("2")).after(SHORT), value("third")
            };
            assertThat(bench.run(driver, steps).join().value()).isEqualTo("third");
            assertThat(bench.spy.entries()).isOne();
            assertThat(bench.spy.ends()).isOne();
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void oneOfTwoPipelinesThatShareThePolicyHoldsNothingOfTheOther(Driver driver) {
        Policy shared = policy();
        try (Bench one = new Bench(shared);
                Pipeline other = Pipeline.builder("other")
                        .policies(shared)
                        .time(one.time)
                        .build()) {
            ScriptedAction<Object> script = one.script(value("there").after(SHORT.dividedBy(2)));
            Driver.Running there =
                    driver.start(one.time, other.<Object>operation("x").key("there"), script);
            Driver.Running here = one.start(driver, one.script(value("here").after(SHORT)));
            one.time.run();
            assertThat(there.reply().join().value()).isEqualTo("there");
            assertThat(here.reply().join().value()).isEqualTo("here");
            verify(one, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void closingLetsTheCallInFlightEndAndTurnsTheNextAway(Driver driver) {
        try (Bench bench = bench()) {
            Driver.Running inFlight =
                    bench.start(driver, bench.script(value("well").after(SHORT)));
            bench.time.advance(SHORT.dividedBy(2));
            bench.pipeline().close();
            Driver.Running next = bench.start(driver, bench.script(value("never")));
            bench.time.run();
            assertThat(inFlight.reply().join().value()).isEqualTo("well");
            assertThat(rejection(next)).isEqualTo(Reason.CLOSED);
            bench.assertOver();
            assertNothingHeld(bench.policy);
        }
    }

    @Test
    final void executorThatRefusesSettlesOnce() {
        TimeoutPolicy timeout = TimeoutPolicy.of(SHORT);
        try (Bench bench = bench().inside(TroublePolicy.Kind.PAUSE)
                .inside(timeout)
                .executor(task -> {
                    throw new RejectedExecutionException("full");
                })) {
            CompletableFuture<Reply<Object>> refused =
                    bench.run(Driver.ASYNC, value("never").after(LONG));
            assertThat(refused).isDone();
            bench.assertOver();
            assertNothingHeld(bench.policy);
        }
    }

    @Test
    final void actionThatReturnsNoStageSettlesOnce() {
        try (Bench bench = bench()) {
            @SuppressWarnings("NullAway") // what a careless action does
            CompletableFuture<Object> none = bench.call().callAsync(attempt -> null);
            bench.time.run();
            assertThat(none).isDone();
            verify(bench, Driver.ASYNC);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void crowdThatIsGivenUpLeavesNobodyBehind(Driver driver) {
        int callers = driver == Driver.ASYNC ? 10_000 : 200;
        try (Bench bench = bench()) {
            List<Driver.Running> crowd = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                crowd.add(bench.start(driver, bench.script(value("late").after(LONG))));
            }
            bench.time.advance(SHORT);
            crowd.forEach(running -> running.giveUp().run());
            bench.time.run();
            assertThat(crowd).allSatisfy(running -> assertThat(running.reply()).isDone());
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void crowdThatIsServedLeavesNobodyBehind(Driver driver) {
        try (Bench bench = bench()) {
            List<Driver.Running> crowd = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Step step = i % 3 == 0 ? error(new IOException("ill")) : value(i);
                crowd.add(bench.start(driver, bench.script(step.after(SHORT))));
            }
            bench.time.run();
            assertThat(crowd).allSatisfy(running -> assertThat(running.reply()).isDone());
            verify(bench, driver);
        }
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    final void noPermitIsLostInAHundredThousandRandomCalls(Driver driver) {
        // Blocking callers hand over threads, which takes long. So they make a fifth, shared by the thread kinds.
        int calls = driver == Driver.ASYNC
                ? 80_000
                : 20_000 / ThreadKind.ofThisJvm().size();
        int rounds = calls / RandomCalls.CALLS;
        long first = FIRST_SEED + (long) ThreadKind.ofThisJvm().indexOf(ThreadKind.current()) * rounds;
        for (long seed = first; seed < first + rounds; seed++) {
            RandomCalls random = new RandomCalls(policy(), driver, seed);
            Throwable wrong = catchThrowable(() -> {
                random.run();
                assertNothingHeld(random.policy());
            });
            assertThat(wrong).as("random calls with seed %d, %s", seed, driver).isNull();
        }
    }

    @Test
    final void noPermitIsLostUnderStressOnRealThreads() throws InterruptedException {
        RealThreads stress = new RealThreads(policy());
        stress.run();
        stress.settleDown(() -> assertNothingHeld(stress.policy()));
    }

    private static Reason rejection(Driver.Running running) {
        Throwable error = catchThrowable(running.reply()::join);
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        assertThat(cause).isInstanceOf(CallRejectedException.class);
        return ((CallRejectedException) cause).reason();
    }
}
