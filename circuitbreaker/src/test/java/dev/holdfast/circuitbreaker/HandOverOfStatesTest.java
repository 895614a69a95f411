/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Numbered;
import dev.holdfast.internal.TellsState;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A pipeline gets other policies, and in the middle of it a breaker changes its state. Afterwards the last change that observers
 * know of is true, under each name, and no change is missing before it.
 */
@Logs(value = "two-circuit-breakers", sometimes = true)
class HandOverOfStatesTest {
    private enum Change {
        SHADOW(false) {
            @Override
            void make(Story story) {
                story.pipeline.shadow("circuit-breaker");
            }
        },
        ENFORCE(true) {
            @Override
            void make(Story story) {
                story.pipeline.enforce("circuit-breaker");
            }
        },
        SECOND(false) {
            @Override
            void make(Story story) {
                story.replace(breaker(), story.breaker);
            }
        },
        KEPT(false) {
            @Override
            void make(Story story) {
                story.replace(story.breaker);
            }
        };

        final boolean isShadowBefore;

        Change(boolean isShadowBefore) {
            this.isShadowBefore = isShadowBefore;
        }

        abstract void make(Story story);
    }

    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(b -> b.slidingWindowSize(1).minimumNumberOfCalls(1));
    }

    /** A pipeline asks it for its state in the middle of a change. */
    private static final class Moment extends Policy implements TellsState {
        private final Runnable asked;

        Moment(String name, Runnable asked) {
            super(name, 0);
            this.asked = asked;
        }

        @Override
        public String toldState() {
            asked.run();
            return stateAtRest();
        }

        @Override
        public String stateAtRest() {
            return "none";
        }
    }

    /** One change, with what happens at one of its moments. */
    private static final class Story implements CallObserver, AutoCloseable {
        final CircuitBreakerPolicy breaker = breaker();
        final Policy outside = new Moment("outside", this::asked);
        final Policy inside = new Moment("inside", this::asked);
        final Pipeline pipeline;
        private final CompletableFuture<String> answer = new CompletableFuture<>();
        private final Map<String, String> told = new HashMap<>();
        private final List<String> gaps = new ArrayList<>();
        private Runnable happens = () -> {};
        private int momentsLeft = -1;

        Story(boolean isShadow) {
            Policy first = isShadow ? ShadowPolicy.of(breaker) : breaker;
            pipeline = Pipeline.builder("inventory")
                    .policies(outside, first, inside)
                    .observer(this)
                    .silence()
                    .build();
        }

        void replace(Policy... others) {
            List<Policy> all = new ArrayList<>(List.of(others));
            all.add(0, outside);
            all.add(inside);
            pipeline.replace(all.toArray(Policy[]::new));
        }

        void beginCall() {
            assertThat(pipeline.callAsync(() -> answer)).isNotDone();
        }

        void failCall() {
            answer.completeExceptionally(new IOException("ill"));
            assertThat(breaker.state()).isEqualTo(CircuitBreakerPolicy.State.OPEN);
        }

        /** Returns false if it has no such moment. */
        boolean make(Change change, int moment, Runnable what) {
            happens = what;
            momentsLeft = moment;
            change.make(this);
            return momentsLeft < 0;
        }

        private void asked() {
            if (momentsLeft-- == 0) {
                happens.run();
            }
        }

        @Override
        public void stateChanged(String ofPipeline, String policy, String from, String to, String cause) {
            String before = told.put(policy, to);
            if (!from.equals(before == null ? "closed" : before)) {
                gaps.add(policy + " " + before + ", then " + from + " > " + to);
            }
        }

        void verify(int moment) {
            assertThat(pipeline.snapshot().policies()).isNotEmpty();
            assertThat(gaps).as("moment %d", moment).isEmpty();
            Map<String, String> states = states();
            states.forEach((name, state) -> assertThat(told.getOrDefault(name, "closed"))
                    .as("%s, moment %d", name, moment)
                    .isEqualTo(state));
            told.forEach((name, state) -> assertThat(states.getOrDefault(name, "closed"))
                    .as("%s, moment %d", name, moment)
                    .isEqualTo(state));
        }

        private Map<String, String> states() {
            Map<String, String> states = new HashMap<>();
            List<String> names = Numbered.names(pipeline.policies());
            for (int i = 0; i < names.size(); i++) {
                if (AroundPolicy.innermost(pipeline.policies().get(i)) instanceof CircuitBreakerPolicy at) {
                    states.put(names.get(i), at.state().name().toLowerCase(Locale.ROOT));
                }
            }
            return states;
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }

    /** With what happens at the first moment of the change, at the second one, and so on. */
    private static void atEachMoment(Change change, Consumer<Story> before, Consumer<Story> happens) {
        atEachMoment(change, change.isShadowBefore, before, happens);
    }

    private static void atEachMoment(Change change, boolean isShadow, Consumer<Story> before, Consumer<Story> happens) {
        int moment = 0;
        boolean hasMoment = true;
        while (hasMoment) {
            try (Story story = new Story(isShadow)) {
                before.accept(story);
                hasMoment = story.make(change, moment, () -> happens.accept(story));
                story.verify(moment++);
            }
        }
        assertThat(moment).as("moments, and one that was too many").isGreaterThan(2);
    }

    @ParameterizedTest
    @EnumSource
    void aChangeByHandIsTold(Change change) {
        atEachMoment(
                change, story -> {}, story -> story.breaker.asResilience4j().transitionToForcedOpenState());
    }

    @ParameterizedTest
    @EnumSource
    void aChangeBackIsTold(Change change) {
        atEachMoment(
                change,
                story -> story.breaker.asResilience4j().transitionToForcedOpenState(),
                story -> story.breaker.asResilience4j().transitionToClosedState());
    }

    @ParameterizedTest
    @EnumSource
    void aChangeByACallIsTold(Change change) {
        atEachMoment(change, Story::beginCall, Story::failCall);
    }

    /** It had the breaker under this name before, and under the other one meanwhile. */
    @ParameterizedTest
    @EnumSource(names = {"SHADOW", "ENFORCE"})
    void aChangeByACallThatIsOlderThanTwoChangesIsTold(Change change) {
        Change first = change == Change.SHADOW ? Change.ENFORCE : Change.SHADOW;
        atEachMoment(
                change,
                first.isShadowBefore,
                story -> {
                    story.beginCall();
                    first.make(story);
                },
                Story::failCall);
    }

    @ParameterizedTest
    @EnumSource
    void aChangeByACallThatEndsAfterwardsIsTold(Change change) {
        try (Story story = new Story(change.isShadowBefore)) {
            story.beginCall();
            change.make(story);
            story.failCall();
            story.verify(0);
        }
    }
}
