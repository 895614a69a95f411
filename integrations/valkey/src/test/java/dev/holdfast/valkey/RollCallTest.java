/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Way;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes that announce themselves, on virtual time. The script for a server: {@link ValkeyStoreTest}. */
class RollCallTest {
    private static final long LONGEST_ROUND_MILLIS = 3_750;
    private static final long MILLI = 1_000_000;

    private final VirtualTime time = new VirtualTime();
    private final Random random = new Random(7);
    private final Lists store = new Lists();

    @AfterEach
    void close() {
        time.close();
    }

    /** The lists of a store, as the script of {@link ValkeyStore} keeps them. */
    private final class Lists {
        private final Map<Member, Long> signed = new LinkedHashMap<>();
        private long since = Long.MIN_VALUE;
        private boolean away;

        RollCall.Count sign(Member who) {
            long now = time.nanos() / MILLI;
            signed.values().removeIf(at -> at <= now - RollCall.ALIVE);
            since = signed.isEmpty() ? now : since;
            signed.put(who, now);
            return new RollCall.Count(signed.size(), now - since >= RollCall.ALIVE);
        }

        void loseAll() {
            signed.clear();
        }
    }

    @Test
    void theBeginEndsWithTheFirstAnswerOrWithNone() {
        Member member = new Member(1);
        assertThat(member.firstAnswer).isNotDone();
        time.advance(ofMillis(1));
        assertThat(member.firstAnswer).isCompleted();

        store.away = true;
        assertThat(new Member(1).firstAnswer).as("none comes").isCompleted();
    }

    private final class Member implements RollCall.Book {
        private boolean ended;
        private long haltedUntil = time.nanos();
        private final RollCall roll;
        private final CompletableFuture<?> firstAnswer;

        Member(int atFirst) {
            roll = new RollCall(this, atFirst);
            firstAnswer = roll.begin().toCompletableFuture();
        }

        @Override
        public CompletionStage<RollCall.Count> sign() {
            if (store.away) {
                return CompletableFuture.failedStage(new IllegalStateException("refused"));
            }
            CompletableFuture<RollCall.Count> answer = new CompletableFuture<>();
            time.schedule(MILLI, () -> answer.complete(store.sign(this)));
            return answer;
        }

        @Override
        public void later(long nanos, Runnable task) {
            time.schedule(nanos, () -> {
                if (time.nanos() - haltedUntil < 0) {
                    later(haltedUntil - time.nanos() + (long) (MILLI * random()), task);
                } else if (!ended) {
                    task.run();
                }
            });
        }

        @Override
        public long nanos() {
            return time.nanos();
        }

        @Override
        public double random() {
            return random.nextDouble();
        }

        void close() {
            ended = true;
            store.signed.remove(this);
        }
    }

    private List<Member> processes(int number) {
        List<Member> processes = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            processes.add(new Member(1));
        }
        return processes;
    }

    private void assertAllCount(List<Member> processes, int number) {
        assertThat(processes)
                .allSatisfy(process -> assertThat(process.roll.getAsInt()).isEqualTo(number));
    }

    @Test
    void withinARoundAllKnowHowManyTheyAre() {
        List<Member> processes = processes(40);
        time.advance(ofMillis(LONGEST_ROUND_MILLIS + 1));

        assertAllCount(processes, 40);
    }

    @Test
    void aProcessThatComesLaterKnowsAtOnceAndTheOthersWithinARound() {
        List<Member> processes = processes(40);
        time.advance(ofSeconds(20));
        Member late = new Member(1);
        time.advance(ofMillis(1));
        assertThat(late.roll.getAsInt()).isEqualTo(41);
        time.advance(ofMillis(LONGEST_ROUND_MILLIS));

        assertAllCount(processes, 41);
    }

    @Test
    void aProcessThatSignsOffIsGoneWithinARoundAndOneThatJustEndsAfterItsSign() {
        List<Member> processes = processes(40);
        time.advance(ofSeconds(20));
        processes.remove(0).close();
        Member killed = processes.remove(0);
        killed.ended = true;
        time.advance(ofMillis(LONGEST_ROUND_MILLIS + 1));
        assertAllCount(processes, 39);
        time.advance(ofMillis(RollCall.ALIVE));

        assertAllCount(processes, 38);
    }

    @Test
    void whileTheStoreIsAwayTheLastNumberHolds() {
        List<Member> processes = processes(40);
        time.advance(ofSeconds(20));
        store.away = true;
        time.advance(ofHours(1));
        assertAllCount(processes, 40);
        Member alone = new Member(25);
        time.advance(ofMinutes(1));

        assertThat(alone.roll.getAsInt()).isEqualTo(25);
    }

    /** As a frozen container, or a machine that is moved: the others cannot sign before they go on, either. */
    @Test
    void processesThatWereHaltedTogetherDoNotCountFewerWhenTheyGoOn() {
        List<Member> processes = processes(10);
        time.advance(ofSeconds(20));
        List<Member> halted = processes.subList(0, 9);
        halted.forEach(
                process -> process.haltedUntil = time.nanos() + ofSeconds(30).toNanos());
        time.advance(ofSeconds(30));
        for (int i = 0; i < 8_000; i++) {
            time.advance(ofMillis(1));
            assertAllCount(halted, 10);
        }
        assertAllCount(processes, 10);
        processes.remove(0).close();
        time.advance(ofSeconds(30));

        assertAllCount(processes, 9);
    }

    @Test
    void aNumberOfTheStartThatComesLaterHoldsOnlyUntilAllHaveSigned() {
        List<Member> processes = processes(3);
        RollCall first = processes.get(0).roll;
        time.advance(ofMillis(LONGEST_ROUND_MILLIS + 1));
        first.atFirst(10);
        assertThat(first.getAsInt()).isEqualTo(10);
        time.advance(ofSeconds(20));
        assertAllCount(processes, 3);
        first.atFirst(10);

        assertAllCount(processes, 3);
    }

    @Test
    void aStoreThatComesBackEmptyNeverMakesTheNumberSmaller() {
        List<Member> processes = processes(40);
        time.advance(ofSeconds(20));
        store.away = true;
        time.advance(ofMinutes(1));
        store.loseAll();
        store.away = false;
        for (int i = 0; i < 600; i++) {
            time.advance(ofMillis(100));
            assertAllCount(processes, 40);
        }
        store.loseAll();
        for (int i = 0; i < 600; i++) {
            time.advance(ofMillis(100));
            assertAllCount(processes, 40);
        }
    }

    @Test
    void whoEndsWhileTheListIsYoungIsGoneWhenItIsOld() {
        List<Member> processes = processes(40);
        time.advance(ofSeconds(20));
        store.loseAll();
        processes.subList(10, 40).forEach(process -> process.ended = true);
        List<Member> left = processes.subList(0, 10);
        time.advance(ofMillis(RollCall.ALIVE));
        assertAllCount(left, 40);
        time.advance(ofMillis(2 * LONGEST_ROUND_MILLIS));

        assertAllCount(left, 10);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theThrottlesOfAllFollowAndKeepTheLimitTogether(Way way) {
        Dependency dependency = new Dependency(time, way);
        List<Member> processes = processes(10);
        time.advance(ofSeconds(20));
        List<Pipeline> pipelines = pipelines(
                processes,
                process -> ThrottlePolicy.of(t -> t.limit(20).burst(10).replicas(process.roll)));
        callAll(dependency, pipelines, 100);
        assertThat(dependency.starts()).hasSize(10 + 10 * 19);

        processes.subList(5, 10).forEach(Member::close);
        List<Pipeline> left = pipelines.subList(0, 5);
        time.advance(ofMillis(LONGEST_ROUND_MILLIS + 1));
        callAll(dependency, left, 10);
        int before = dependency.starts().size();
        callAll(dependency, left, 100);

        assertThat(dependency.starts().size() - before).isBetween(195, 205);
    }

    private List<Pipeline> pipelines(List<Member> processes, Function<Member, Policy> policy) {
        return processes.stream()
                .map(process -> Pipeline.builder("inventory")
                        .policies(policy.apply(process))
                        .time(time)
                        .build())
                .toList();
    }

    private void callAll(Dependency dependency, List<Pipeline> pipelines, int rounds) {
        for (int round = 0; round < rounds; round++) {
            pipelines.forEach(pipeline -> dependency.call(pipeline, ZERO));
            time.advance(ofMillis(100));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theShareOfASharedThrottleFollows(Way way) {
        Dependency dependency = new Dependency(time, way);
        List<Member> processes = processes(10);
        time.advance(ofSeconds(20));
        FakeStore permits = new FakeStore(time, 20, 10);
        permits.stop();
        SharedThrottlePolicy throttle = new SharedThrottlePolicy(
                permits,
                SharedThrottleSettings.of(s ->
                        s.key("inventory").limit(20).burst(10).maxWait(ZERO).replicas(processes.get(0).roll)));
        List<Pipeline> one = pipelines(processes.subList(0, 1), process -> throttle);
        callAll(dependency, one, 100);
        assertThat(dependency.starts().size()).isBetween(19, 21);
        assertThat(throttle.settings().batch()).isEqualTo(1);

        processes.subList(1, 10).forEach(Member::close);
        time.advance(ofMillis(LONGEST_ROUND_MILLIS + 1));
        callAll(dependency, one, 10);
        int before = dependency.starts().size();
        callAll(dependency, one, 50);

        // Each of the 50 calls: alone it may start 100 of them.
        assertThat(dependency.starts().size() - before).isEqualTo(50);
    }

    /** Found with a proxy that refused: each process found its connection again after its next round, and signed after another. */
    @Test
    void aNetworkThatWasAwayForAllDoesNotMakeTheNumberSmaller() {
        for (int seconds = 4; seconds <= 14; seconds++) {
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                members.add(new Member(16));
            }
            time.advance(ofSeconds(60));
            store.away = true;
            time.advance(ofSeconds(seconds));
            store.away = false;
            for (int half = 0; half < 60; half++) {
                time.advance(ofMillis(500));
                assertThat(members)
                        .as("%s s after %s s", half / 2.0, seconds)
                        .allSatisfy(member -> assertThat(member.roll.getAsInt()).isEqualTo(16));
            }
            time.advance(ofMinutes(1));
            members.forEach(member -> member.ended = true);
            time.advance(ofSeconds(30));
            store.loseAll();
        }
    }
}
