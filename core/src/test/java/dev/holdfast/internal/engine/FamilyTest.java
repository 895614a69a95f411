/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallKey;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FamilyTest {
    /** A cache that they share has them in one table: with one hash code, each look-up would pass all of them. */
    @Test
    void oneKeyInManyPipelinesHasManyHashCodes() {
        long different = IntStream.range(0, 1_000)
                .map(pipeline -> new CallKey(new Family(new Object(), "stock", String.class), null, "sku-1").hashCode())
                .distinct()
                .count();
        assertThat(different).isGreaterThan(900);
    }

    @Test
    void operationsOfOneNameAndTypeInOnePipelineAreEqual() {
        Object pipeline = new Object();
        Family one = new Family(pipeline, "stock", String.class);
        assertThat(one)
                .isEqualTo(new Family(pipeline, "stock", String.class))
                .hasSameHashCodeAs(new Family(pipeline, "stock", String.class))
                .isNotEqualTo(new Family(new Object(), "stock", String.class))
                .isNotEqualTo(new Family(pipeline, "price", String.class));
    }
}
