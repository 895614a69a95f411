/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
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

    /** At most ten calls, with mistakes that are made in other places than where a permit is given back. */
    private static class Ten extends Policy {
        final AtomicInteger running = new AtomicInteger();

        Ten() {
            super("ten", ENTER | SUCCESS | FAILURE | ENDED);
        }

        @Override
        public int enter(Passage passage) {
            if (running.incrementAndGet() <= 10) {
                return PROCEED;
            }
            running.decrementAndGet();
            String pipeline = passage.pipeline();
            return full(passage, () -> "ten of '" + pipeline + "' is full");
        }

        int full(Passage passage, Supplier<String> message) {
            return passage.reject(Reason.OTHER, -1, message, null);
        }

        @Override
        public void ended(Passage passage) {
            running.decrementAndGet();
        }
    }

    private static void assertFoundIn(Supplier<Ten> wrong, Consumer<PolicyContract> test, String... messages) {
        test.accept(ten(Ten::new));
        assertThatThrownBy(() -> test.accept(ten(wrong))).satisfies(found -> {
            for (String message : messages) {
                assertThat(found).hasMessageContaining(message);
            }
        });
    }

    private static PolicyContract ten(Supplier<Ten> made) {
        return new PolicyContract() {
            @Override
            protected Policy policy() {
                return made.get();
            }

            @Override
            protected void assertNothingHeld(Policy policy) {
                assertThat(((Ten) policy).running).as("running").hasValue(0);
            }
        };
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void decisionThatIsNotReturnedIsFound(Driver driver) {
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    int full(Passage passage, Supplier<String> message) {
                        int unused = super.full(passage, message);
                        running.incrementAndGet();
                        return PROCEED;
                    }
                },
                contract -> contract.crowdThatIsServedLeavesNobodyBehind(driver),
                "enter made a decision of its passage and did not return it");
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void messageThatUsesThePassageIsFound(Driver driver) {
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    int full(Passage passage, Supplier<String> message) {
                        return super.full(passage, () -> message.get() + " for " + passage.operation());
                    }
                },
                contract -> contract.crowdThatIsServedLeavesNobodyBehind(driver),
                "the message of a rejection cannot be read once the passage is over");
    }

    @Test
    void permitThatComesBackBeforeTheWorkIsOverIsFound() {
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public int settle(Passage passage) {
                        running.decrementAndGet();
                        return KEEP;
                    }

                    @Override
                    public void ended(Passage passage) {}
                },
                PolicyContract::whatIsHeldForWorkComesBackWhenTheWorkIsOver,
                "give back in ended, not in settle");
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    @Logs("ended of ten in 'contract' threw; told once")
    void exceptionOfEndedIsFound(Driver driver) {
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public void ended(Passage passage) {
                        super.ended(passage);
                        throw new IllegalStateException("broken");
                    }
                },
                contract -> contract.healthyCallIsLetThrough(driver),
                "ended threw java.lang.IllegalStateException: broken");
    }

    @ParameterizedTest
    @EnumSource(Driver.class)
    void missingAbandonAfterAPauseOfZeroIsFound(Driver driver) {
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public int enter(Passage passage) {
                        int entered = super.enter(passage);
                        return entered == PROCEED ? passage.pause(0) : entered;
                    }
                },
                contract -> contract.pauseThatIsBrokenOffHoldsNothing(driver),
                "running");
    }

    @Test
    @Logs("pipeline 'contract': it has no name")
    void metersAndSettingsThatCannotBeReadAreFound() {
        Consumer<PolicyContract> read = PolicyContract::metersSettingsAndWarningsCanBeRead;
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public void meters(Meters meters) {
                        throw new IllegalStateException("no meters");
                    }
                },
                read,
                "no meters");
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public void meters(Meters meters) {
                        meters.gauge("ten.running", "Calls that run now", () -> {
                            throw new IllegalStateException("no number");
                        });
                    }
                },
                read,
                "no number");
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public Map<String, Object> settingsMap() {
                        throw new IllegalStateException("no settings");
                    }
                },
                read,
                "no settings");
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    @SuppressWarnings("NullAway") // the mistake
                    public Map<String, Object> settingsMap() {
                        return null;
                    }
                },
                read,
                "settings");
        assertFoundIn(
                () -> new Ten() {
                    @Override
                    public List<String> warnings() {
                        return List.of("it has no name");
                    }
                },
                read,
                "the name of its rule");
    }
}
