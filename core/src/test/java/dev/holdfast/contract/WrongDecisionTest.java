/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A policy that makes a decision and does not return it, returns one that it has not made, or one that it may not make there. */
@ThreadKind.Each
class WrongDecisionTest {
    private static final List<ToIntFunction<Passage>> ON_THE_WAY_IN = List.of(
            p -> p.reject(Reason.OTHER, -1, "not allowed"),
            p -> p.answer("cached", Source.FALLBACK, 5),
            p -> p.answer(null, Source.LIVE, 0),
            p -> p.fail(new IllegalStateException("failed")),
            p -> p.pause(1_000),
            p -> p.await(new Completion(), 1_000));

    private static Decision unreturned(ToIntFunction<Passage> decision) {
        return new Decision(Decision.Kind.GO_ON, p -> {
            int unused = decision.applyAsInt(p);
            return Policy.PROCEED;
        });
    }

    private static Decision number(Decision.Kind kind, int number) {
        return new Decision(kind, p -> number);
    }

    private static Lab.End misuse(String what) {
        return misuse(what, "");
    }

    private static Lab.End misuse(String what, String more) {
        return new Lab.End(
                "IllegalStateException: " + what + " returned no decision of its passage" + more, 0, millis(0));
    }

    /** Nothing else would end it: no limit is set, and no try reaches the action. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void retriesWithoutAWaitAndWithoutEndAreAMistake(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(new Restless(), new Refusing());
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End(
                            "IllegalStateException: restless asked for 1,000,000 retries in a row without a wait",
                            0,
                            millis(0)));
        }
    }

    private static final class Restless extends Policy {
        Restless() {
            super("restless", SUCCESS | FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            return passage.retry(0);
        }
    }

    private static final class Refusing extends Policy {
        Refusing() {
            super("refusing", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.reject(Reason.OTHER, -1, "never");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void decisionOfEnterThatIsNotReturnedEndsTheCallBeforeItsAction(Way way) {
        for (ToIntFunction<Passage> decision : ON_THE_WAY_IN) {
            try (Lab lab = new Lab()) {
                lab.layers(
                        RetryPolicy.of(r -> r.maxAttempts(3).retryRejections(true)),
                        lab.probe("outer"),
                        lab.probe("quota").entering(p -> unreturned(decision)),
                        lab.probe("inner"));
                for (int i = 0; i < 3; i++) {
                    assertThat(lab.run(way, Step.value("never")).end())
                            .isEqualTo(misuse("quota", ", though it made one"));
                }
                lab.assertLivesOver();
                assertThat(lab.log).contains("inner settle IGNORED not started", "inner ended");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void decisionThatIsNotReturnedEndsTheCallAfterAWaitFurtherIn(Way way) {
        for (ToIntFunction<Passage> decision : ON_THE_WAY_IN) {
            try (Lab lab = new Lab()) {
                lab.layers(
                        lab.probe("quota").entering(p -> unreturned(decision)),
                        lab.probe("queue").entering(p -> Decision.pause(5)));
                Lab.End end = lab.run(way, Step.value("never")).end();
                assertThat(end)
                        .isEqualTo(new Lab.End(
                                "IllegalStateException: quota returned no decision of its passage, though it made one",
                                0,
                                millis(5)));
                lab.assertLivesOver();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void decisionOfStillAdmitsThatIsNotReturnedEndsTheCall(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("gate").admitting(p -> unreturned(ON_THE_WAY_IN.get(0))),
                    lab.probe("queue").entering(p -> Decision.pause(5)));
            Lab.End end = lab.run(way, Step.value("never")).end();
            assertThat(end.what())
                    .isEqualTo("IllegalStateException: gate returned no decision of its passage, though it made one");
            assertThat(end.attempts()).isZero();
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void decisionMadeWhereAnAttemptStartsEndsTheCall(Way way) {
        Policy counts = new Policy("counts", Policy.ATTEMPTS) {
            @Override
            public void attemptStarts(Passage passage) {
                int unused = passage.reject(Reason.OTHER, -1, "no");
            }
        };
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), counts);
            assertThat(lab.run(way, Step.value("never")).end()).isEqualTo(misuse("counts", ", though it made one"));
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void numberThatEnterHasNotFromItsPassageIsAnError(Way way) {
        for (int number : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 32, 33, 42, -1, Integer.MIN_VALUE}) {
            try (Lab lab = new Lab()) {
                lab.layers(lab.probe("outer"), lab.probe("quota").entering(p -> number(Decision.Kind.PAUSE, number)));
                assertThat(lab.run(way, Step.value("never")).end()).isEqualTo(misuse("enter of quota"));
                lab.assertLivesOver();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void numberThatSettleHasNotFromItsPassageIsAnError(Way way) {
        for (int number : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 32, 42, -1}) {
            try (Lab lab = new Lab()) {
                lab.layers(lab.probe("outer"), lab.probe("quota").settling(p -> number(Decision.Kind.TURN, number)));
                assertThat(lab.run(way, Step.value("value")).end())
                        .isEqualTo(new Lab.End(
                                "IllegalStateException: settle of quota returned no decision of its passage",
                                1,
                                millis(0)));
                lab.assertLivesOver();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void settleCannotRejectOrPause(Way way) {
        for (Decision decision : List.of(Decision.REJECT, Decision.pause(5))) {
            try (Lab lab = new Lab()) {
                lab.layers(
                        lab.probe("outer"),
                        lab.probe("quota").settling(p -> new Decision(Decision.Kind.TURN, decision.say())));
                assertThat(lab.run(way, Step.value("value")).end())
                        .isEqualTo(new Lab.End(
                                "IllegalStateException: settle of quota returned no decision of its passage",
                                1,
                                millis(0)));
                lab.assertLivesOver();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void stillAdmitsCanOnlyReject(Way way) {
        for (Decision decision : List.of(
                Decision.answer("cached"),
                Decision.fail(new IllegalStateException("failed")),
                Decision.pause(1),
                number(Decision.Kind.TURN, 3),
                number(Decision.Kind.TURN, 7))) {
            try (Lab lab = new Lab()) {
                lab.layers(
                        lab.probe("gate").admitting(p -> decision),
                        lab.probe("queue").entering(p -> Decision.pause(5)));
                assertThat(lab.run(way, Step.value("never")).end())
                        .isEqualTo(new Lab.End(
                                "IllegalStateException: stillAdmits of gate returned no decision of its passage",
                                0,
                                millis(5)));
                lab.assertLivesOver();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAThrowingPolicyHadDecidedIsForgotten(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    lab.probe("again").settling(p -> p.attempts() < 2 ? Decision.retry(1) : Decision.GO_ON),
                    lab.probe("quota")
                            .settling(p -> new Decision(Decision.Kind.TURN, q -> {
                                int unused = q.retry(5);
                                throw new IllegalStateException("broken");
                            })));
            assertThat(lab.run(way, Step.value("value"), Step.value("value")).end())
                    .isEqualTo(new Lab.End("IllegalStateException: broken", 2, millis(1)));
            lab.assertLivesOver();
        }
    }

    private static void assertNotBuilt(Policy wrong, String message) {
        try (Lab lab = new Lab()) {
            assertThatThrownBy(() -> lab.layers(wrong))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage(message);
        }
    }

    @Test
    void policyThatAnswersNullBeforeItsFirstCallIsNamed() {
        assertNotBuilt(
                new Policy("quota", Policy.ENTER) {
                    @Override
                    public List<String> warnings() {
                        return null;
                    }
                },
                "warnings() of quota returned null");
        assertNotBuilt(
                new Policy("quota", Policy.ENTER) {
                    @Override
                    public List<String> warnings() {
                        return Arrays.asList("quota: fine", null);
                    }
                },
                "warnings() of quota returned [quota: fine, null]");
        assertNotBuilt(
                new Policy("quota", Policy.ENTER) {
                    @Override
                    public Timing timing() {
                        return null;
                    }
                },
                "timing() of quota returned null");
    }

    @Test
    void policyWhoseWarningsThrowIsNamed() {
        RuntimeException thrown = new UnsupportedOperationException("of an immutable list");
        Policy quota = new Policy("quota", Policy.ENTER) {
            @Override
            public List<String> warnings() {
                throw thrown;
            }
        };
        try (Lab lab = new Lab()) {
            assertThatThrownBy(() -> lab.layers(quota))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("warnings() of quota threw " + thrown)
                    .hasCause(thrown);
        }
    }

    @Test
    void nameOfAPolicyIsNeitherNullNorEmpty() {
        assertThatThrownBy(() -> new Policy(null, Policy.ENTER) {})
                .isInstanceOf(NullPointerException.class)
                .hasMessage("the name of a policy is null");
        assertThatThrownBy(() -> new Policy("", Policy.ENTER) {})
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the name of a policy is empty");
    }
}
