/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What is compared with runs on the experiments' time. */
class Resilience4jFleetTest {
    private final List<Double> asked = new ArrayList<>();

    private CompletableFuture<String> failing(World world) {
        asked.add(world.now());
        return CompletableFuture.failedFuture(new IllegalStateException("broken"));
    }

    private static CompletableFuture<Answer> call(World world, Client fleet, Service service) {
        CompletableFuture<Answer> answer = fleet.call(null, service);
        world.run();
        return answer;
    }

    @Test
    void anAttemptThatHangsEndsAfterTheTimeoutAndIsTriedTwiceAgain() {
        try (World world = new World(1)) {
            Client fleet = new Resilience4jFleet(world, 1);

            CompletableFuture<Answer> answer = call(world, fleet, until -> {
                asked.add(world.now());
                assertThat(until).isEqualTo(world.now() + 3);
                return new CompletableFuture<>();
            });

            assertThat(answer).isCompletedWithValue(Answer.NONE);
            assertThat(asked).hasSize(3);
            assertThat(asked.get(1)).isBetween(3.25, 3.75);
            assertThat(asked.get(2) - asked.get(1)).isBetween(3.25, 3.75);
            assertThat(world.now()).isCloseTo(asked.get(2) + 3, within(0.001));
        }
    }

    @Test
    void theBreakerOpensAndIsAskedAgainAfterAMinuteOfTheWorld() {
        try (World world = new World(1)) {
            Client fleet = new Resilience4jFleet(world, 1);
            for (int i = 0; i < 40; i++) {
                assertThat(call(world, fleet, until -> failing(world))).isCompletedWithValue(Answer.NONE);
            }
            int whenOpen = asked.size();
            double opened = asked.get(whenOpen - 1);
            assertThat(whenOpen).as("the size of its window").isEqualTo(100);

            world.in(opened + 59 - world.now(), () -> {});
            world.run();
            assertThat(call(world, fleet, until -> failing(world))).isCompletedWithValue(Answer.NONE);
            world.in(opened + 61 - world.now(), () -> {});
            world.run();
            assertThat(call(world, fleet, until -> CompletableFuture.completedFuture("good")))
                    .isCompletedWithValue(Answer.LIVE);
        }
    }

    @Test
    void theSameSeedGivesTheSameRun() {
        Trial once = LostNetwork.run(world -> new Resilience4jFleet(world, 3), 1, Variation.NONE);
        Trial again = LostNetwork.run(world -> new Resilience4jFleet(world, 3), 1, Variation.NONE);

        assertThat(again).hasToString(once.toString());
    }
}
