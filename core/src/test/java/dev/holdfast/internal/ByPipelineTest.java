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
    void whatWasKnownOfTheFirstOfVeryManyHoldsForAllThatAreKnownTogether() {
        tell(longest, "first", 30);
        for (int later = 0; later < 1_500; later++) {
            tell(longest, "later " + later, 2);
        }
        assertThat(longest.get("first")).isEqualTo(30);
        assertThat(longest.get("later 0"))
                .as("is known together with the first")
                .isEqualTo(30);
        assertThat(longest.get("later 1499")).isEqualTo(2);
        assertThat(longest.ofAll()).isEqualTo(30);
    }

    @Test
    void anotherOneTellsOfItsPipelinesAlsoOfThoseThatItKnowsTogether() {
        tell(longest, "first", 30);
        for (int later = 0; later < 1_000; later++) {
            tell(longest, "later " + later, 2);
        }
        ByPipeline<Integer> next = new ByPipeline<>(Math::max);
        tell(next, "later 999", 5);
        next.addThoseOf(longest);
        assertThat(next.ofAll()).isEqualTo(30);
        assertThat(next.get("later 999")).isEqualTo(5);
        assertThat(next.get("later 998")).isEqualTo(2);
    }
}
