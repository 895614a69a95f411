/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ByPipelineTest {
    private final ByPipeline<Integer> longest = new ByPipeline<>(Math::max);

    private void tell(ByPipeline<Integer> known, String pipeline, int value) {
        known.tell(pipeline, before -> value);
    }

    @Test
    void whatIsToldOfAPipelineTakesThePlaceOfWhatWasKnown() {
        tell(longest, "a", 30);
        longest.tell("a", before -> before == null ? 0 : before - 10);
        assertThat(longest.get("a")).isEqualTo(20);
        assertThat(longest.ofAll()).isEqualTo(20);
        assertThat(longest.get("b")).isNull();
    }

    @Test
    void nothingIsKnownOfNone() {
        assertThat(longest.ofAll()).isNull();
    }

    /** They may live longer than those that came later. */
    @Test
    void whatWasKnownOfSomeOfVeryManyHoldsForAllThatAreKnownTogether() {
        tell(longest, "first", 30);
        for (int later = 0; later < 15_000; later++) {
            tell(longest, "later " + later, 30 - later % 2);
        }
        assertThat(longest.get("first")).isEqualTo(30);
        for (int later = 0; later < 15_000; later++) {
            assertThat(longest.get("later " + later)).isBetween(30 - later % 2, 30);
        }
        assertThat(longest.ofAll()).isEqualTo(30);
        assertThat(longest.get("unknown")).as("there are others").isNotNull();
    }

    @Test
    void anotherOneTellsOfItsPipelines() {
        tell(longest, "a", 30);
        tell(longest, "b", 2);
        ByPipeline<Integer> next = new ByPipeline<>(Math::max);
        tell(next, "a", 5);
        next.addThoseOf(longest);
        assertThat(next.get("a")).isEqualTo(5);
        assertThat(next.get("b")).isEqualTo(2);
        assertThat(next.ofAll()).isEqualTo(5);
    }

    /** In a reload each pipeline tells the new policy of itself, one after the other. */
    @Test
    void shorterTimesOfVeryManyHoldAfterTheNextReload() {
        ByPipeline<Integer> known = longest;
        for (int reload = 0; reload < 3; reload++) {
            ByPipeline<Integer> next = new ByPipeline<>(Math::max);
            next.addThoseOf(known);
            for (int pipeline = 0; pipeline < 15_000; pipeline++) {
                tell(next, "p" + pipeline, reload == 0 ? 30 : 2);
            }
            known = next;
        }
        assertThat(known.ofAll()).isEqualTo(2);
    }
}
