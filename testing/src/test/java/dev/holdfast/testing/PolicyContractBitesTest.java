/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract finds what it is there to find: policies with the usual mistakes do not pass. */
class PolicyContractBitesTest {

    /** Holds one permit a call, and makes one mistake. */
    private static final class Mistaken extends Policy {
        enum Mistake {
            NONE,
            FORGETS_FAILURES,
            FORGETS_GIVEN_UP_CALLS,
            FORGETS_REJECTIONS,
            FORGETS_THOSE_THAT_WAIT,
            GIVES_BACK_AT_THE_OUTCOME_TOO,
            TAKES_WITHOUT_END
        }

        private final Mistake mistake;
        private final AtomicInteger held = new AtomicInteger();

        Mistaken(Mistake mistake) {
            super("mistaken", ENTER | SUCCESS | FAILURE | ENDED);
            this.mistake = mistake;
        }

        @Override
        public int enter(Passage passage) {
            held.incrementAndGet();
            return mistake == Mistake.FORGETS_THOSE_THAT_WAIT && passage.slot() == 0 ? wait(passage) : PROCEED;
        }

        private static int wait(Passage passage) {
            passage.slot(1);
            return passage.pause(10_000_000);
        }

        @Override
        public int settle(Passage passage) {
            if (mistake == Mistake.GIVES_BACK_AT_THE_OUTCOME_TOO && passage.outcome() == Outcome.TIMEOUT) {
                held.decrementAndGet();
            }
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            boolean forgotten = switch (mistake) {
                case FORGETS_FAILURES -> passage.outcome() == Outcome.FAILURE;
                case FORGETS_GIVEN_UP_CALLS ->
                    passage.outcome() == Outcome.CANCELLED || passage.outcome() == Outcome.INTERRUPTED;
                case FORGETS_REJECTIONS -> !passage.started();
                case TAKES_WITHOUT_END -> true;
                default -> false;
            };
            if (!forgotten) {
                held.decrementAndGet();
            }
        }
    }

    private static PolicyContract contract(Mistaken.Mistake mistake) {
        return new PolicyContract() {
            @Override
            protected Policy policy() {
                return new Mistaken(mistake);
            }

            @Override
            protected void assertNothingHeld(Policy policy) {
                assertThat(((Mistaken) policy).held).as("held").hasValue(0);
            }
        };
    }

    private static void assertFound(Mistaken.Mistake mistake, Consumer<PolicyContract> test) {
        test.accept(contract(Mistaken.Mistake.NONE));
        ThrowingCallable mistaken = () -> test.accept(contract(mistake));
        assertThatThrownBy(mistaken).isInstanceOf(AssertionError.class).hasMessageContaining("held");
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitThatIsLostAfterAFailureIsFound(Driver driver) {
        assertFound(Mistaken.Mistake.FORGETS_FAILURES, contract -> contract.exceptionAtOnceSettlesOnce(driver));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitOfACallThatWasGivenUpIsMissed(Driver driver) {
        assertFound(Mistaken.Mistake.FORGETS_GIVEN_UP_CALLS, contract -> contract.givenUpInFlightSettlesOnce(driver));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitOfACallThatWasTurnedAwayFurtherInIsMissed(Driver driver) {
        assertFound(Mistaken.Mistake.FORGETS_REJECTIONS, contract -> contract.rejectionFurtherInSettlesOnce(driver));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitThatIsReturnedTwiceIsFound(Driver driver) {
        assertFound(
                Mistaken.Mistake.GIVES_BACK_AT_THE_OUTCOME_TOO,
                contract -> contract.timeoutFurtherInSettlesOnce(driver));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitThatNeverComesBackIsFound(Driver driver) {
        assertFound(Mistaken.Mistake.TAKES_WITHOUT_END, contract -> contract.healthyCallIsLetThrough(driver));
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void permitOfACallThatWaitedForItIsMissed(Driver driver) {
        assertFound(
                Mistaken.Mistake.FORGETS_THOSE_THAT_WAIT,
                contract -> contract.crowdThatIsGivenUpLeavesNobodyBehind(driver));
    }

    private static PolicyContract asking(int hears) {
        return new PolicyContract() {
            @Override
            protected Policy policy() {
                return new Policy("deaf", hears) {
                    @Override
                    public int enter(Passage passage) {
                        return PROCEED;
                    }

                    @Override
                    public int settle(Passage passage) {
                        return KEEP;
                    }

                    @Override
                    public int stillAdmits(Passage passage) {
                        return PROCEED;
                    }
                };
            }

            @Override
            protected void assertNothingHeld(Policy policy) {}
        };
    }

    @Test
    void methodsThatNobodyCallsAreFound() {
        asking(Policy.ENTER | Policy.FAILURE | Policy.STILL_ADMITS).eachMethodThatIsOverriddenIsAskedFor();
        assertThatThrownBy(() -> asking(Policy.ENTER | Policy.ENDED).eachMethodThatIsOverriddenIsAskedFor())
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("settle")
                .hasMessageContaining("stillAdmits")
                .hasMessageNotContaining("enter");
    }
}
