/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import java.io.IOException;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A dependency that answers as it always does, however many calls are in it: the default limit, which heeds losses, has nothing to
 * do.
 */
class NothingWrongTest {
    private static final Episode EPISODE = new Episode(50, 50, 150);
    private static final int SEEDS = 2;

    /** How long an answer takes, with a mean of one. */
    private enum Times {
        EXPONENTIAL {
            @Override
            double next(World world) {
                return world.exponential(1);
            }
        },
        LOGNORMAL {
            @Override
            double next(World world) {
                return Math.exp(world.random().nextGaussian() - 0.5);
            }
        },
        /** One of a hundred takes ten times as long, and one of two hundred is lost. */
        WITH_A_TAIL {
            @Override
            double next(World world) {
                double chance = world.random().nextDouble();
                return chance < 0.005 ? 1_000 : world.exponential(chance < 0.015 ? 10 : 1);
            }
        },
        /** Half of the calls are fast, and the slow ones come back last. */
        FAST_AND_SLOW {
            @Override
            double next(World world) {
                boolean fast = world.random().nextBoolean();
                return fast ? 0.005 : 2 * (0.8 + 0.4 * world.random().nextDouble());
            }
        },
        /** A third. */
        A_THIRD_FAST {
            @Override
            double next(World world) {
                boolean fast = world.random().nextInt(3) == 0;
                return fast ? 0.001 : 1.5 * (0.8 + 0.4 * world.random().nextDouble());
            }
        },
        /** A fifth of all hang, whatever the load: a server among five. */
        WITH_HANGS {
            @Override
            double next(World world) {
                return world.random().nextDouble() < 0.2 ? 1_000 : world.exponential(1);
            }
        };

        abstract double next(World world);
    }

    /** The timeout of an attempt is 3 s: of exponential times with a mean of 1 s, one of twenty is lost. */
    @ParameterizedTest
    @CsvSource({
        "300, 0.05, 1, 0.005",
        "300, 0.05, 10, 0.005",
        "20, 0.05, 1, 0.005",
        "20, 0.05, 10, 0.005",
        "3, 0.2, 1, 0.005",
        "3, 0.2, 10, 0.005",
        "160, 0.5, 1, 0.005",
        "160, 0.5, 10, 0.005",
        "20, 1, 1, 0.005",
        "20, 1, 10, 0.01",
        "5, 1, 1, 0.005",
        "5, 1, 10, 0.01"
    })
    void theDefaultLimitCostsNoGoodput(double perSecond, double mean, int processes, double most) {
        for (Times times : EnumSet.of(Times.EXPONENTIAL, Times.LOGNORMAL, Times.WITH_A_TAIL)) {
            double without = goodput(perSecond, mean, processes, times, b -> b.maxConcurrentCalls(1_000));
            double with = goodput(perSecond, mean, processes, times, b -> {});

            assertThat(1 - with / without)
                    .as("%s: %s, and %s without", times, with, without)
                    .isLessThan(most);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FAST_AND_SLOW", "A_THIRD_FAST"})
    void slowCallsBesideFastOnesAreNoTrouble(Times times) {
        double without = goodput(40, 0.8, 1, times, b -> b.maxConcurrentCalls(1_000));
        double with = goodput(40, 0.8, 1, times, b -> {});

        assertThat(1 - with / without).as("%s, and %s without", with, without).isLessThan(0.005);
    }

    /** More than half fails, for good, and nobody waits for a permit: that is a bug, and no load. */
    @Test
    void failuresAreNoTroubleAsLongAsSomethingElseComesBack() {
        double without = alone(b -> b.maxConcurrentCalls(1_000));
        double with = alone(b -> {});

        assertThat(with).isCloseTo(without, within(0.01));
    }

    /** The goodput of a bulkhead alone, of whose calls 60 % fail. */
    private static double alone(Consumer<BulkheadSettings.Builder> bulkhead) {
        try (World world = new World(1)) {
            Client client = Fleet.standard(
                    world,
                    1,
                    policy -> Stream.of(policy)
                            .filter(BulkheadPolicy.class::isInstance)
                            .map(any -> BulkheadPolicy.of(bulkhead)));
            Trial trial = EPISODE.play(world, now -> 50, client, until -> {
                CompletableFuture<String> answer = new CompletableFuture<>();
                boolean fails = world.random().nextDouble() < 0.6;
                world.in(0.2, () -> {
                    boolean unused =
                            fails ? answer.completeExceptionally(new IOException("a bug")) : answer.complete("ok");
                });
                return answer;
            });
            return trial.ledger().goodput(5, EPISODE.end());
        }
    }

    @ParameterizedTest
    @CsvSource({"30, 0.05, 1", "300, 0.05, 1", "300, 0.05, 10", "20, 0.05, 1", "160, 0.5, 1", "160, 0.5, 10", "20, 1, 1"
    })
    void ifAShareOfTheCallsHangsTheOthersAreMade(double perSecond, double mean, int processes) {
        double without = goodput(perSecond, mean, processes, Times.WITH_HANGS, b -> b.maxConcurrentCalls(1_000));
        double with = goodput(perSecond, mean, processes, Times.WITH_HANGS, b -> {});

        assertThat(1 - with / without).as("%s, and %s without", with, without).isLessThan(0.1);
    }

    private static double goodput(
            double perSecond, double mean, int processes, Times times, Consumer<BulkheadSettings.Builder> bulkhead) {
        double sum = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try (World world = new World(seed)) {
                Client client = Fleet.standard(
                        world,
                        processes,
                        policy -> Stream.of(policy instanceof BulkheadPolicy ? BulkheadPolicy.of(bulkhead) : policy));
                Trial trial = EPISODE.play(world, now -> perSecond, client, until -> {
                    CompletableFuture<String> answer = new CompletableFuture<>();
                    world.in(mean * times.next(world), () -> answer.complete("ok"));
                    return answer;
                });
                sum += trial.ledger().goodput(5, EPISODE.end());
            }
        }
        return sum / SEEDS;
    }
}
