/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StripesTest {

    @Test
    void thereIsAPowerOfTwoOfThemAndTwoForEachProcessor() {
        int processors = Runtime.getRuntime().availableProcessors();

        assertThat(Integer.bitCount(Stripes.count())).isEqualTo(1);
        assertThat(Stripes.count()).isBetween(4, 64).isGreaterThanOrEqualTo(Math.min(64, 2 * processors));
    }

    @Test
    void eachStripeHasACellOfItsOwnApartFromTheOthersAndFromTheEnds() {
        int length = Stripes.words(4).length();
        for (int stripe = 0; stripe < 4; stripe++) {
            assertThat(Stripes.index(stripe, 4)).isEqualTo((stripe + 1) * Stripes.STRIDE);
        }
        assertThat(length).isEqualTo(5 * Stripes.STRIDE);
        assertThat(Stripes.index(-1, 4)).as("any int").isEqualTo(Stripes.index(3, 4));
        assertThat(Stripes.index(7, 1)).as("one word only").isEqualTo(Stripes.STRIDE);
    }

    @Test
    void aThreadStaysWithItsStripeAndThoseMadeOneAfterTheOtherDiffer() throws InterruptedException {
        assertThat(Stripes.current()).isEqualTo(Stripes.current());
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            AtomicInteger stripe = new AtomicInteger();
            Thread thread = new Thread(() -> stripe.set(Stripes.current()));
            thread.start();
            thread.join();
            seen.add(stripe.get());
        }
        assertThat(seen).hasSize(4);
    }
}
