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
