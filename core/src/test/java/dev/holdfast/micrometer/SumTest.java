/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.micrometer.Sum.Asked;
import dev.holdfast.micrometer.Sum.Source;
import io.micrometer.core.instrument.Tags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SumTest {
    private static final Asked A = new Asked("a", Tags.empty());
    private static final Asked B = new Asked("b", Tags.empty());

    private final Sum sum = new Sum();

    private static Source fixed(double value) {
        return () -> value;
    }

    /** What two policies count in, one in the place of the other. Calls end while it is read. */
    private static final class Adder {
        private int now = 5;
        private int toCome;

        double read() {
            if (toCome > 0) {
                toCome--;
                now++;
            }
            return now;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 1_000})
    void callsThatEndWhileAPolicyIsExchangedAreNotLost(int calls) {
        sum.put(A, fixed(10));
        sum.put(A, fixed(0));
        Adder adder = new Adder();
        sum.put(B, adder::read);
        adder.toCome = calls;
        sum.put(B, adder::read);
        boolean wasQuiet = adder.toCome == 0;
        adder.toCome = 0;
        if (wasQuiet) {
            assertThat(sum.total()).isEqualTo(10 + adder.now);
        } else {
            assertThat(sum.total()).isGreaterThanOrEqualTo(10 + adder.now);
        }
    }

    private static final class Broken implements Source {
        @Override
        public double value() {
            throw new NoClassDefFoundError("value");
        }

        @Override
        public long count() {
            throw new IllegalStateException("count");
        }
    }

    @Test
    void aSourceThatThrowsLeavesAsAnyOther() {
        Source broken = new Broken();
        Source infinite = fixed(Double.NaN);
        sum.put(A, fixed(10));
        sum.put(A, fixed(0));
        sum.put(A, broken);
        sum.put(B, infinite);
        assertThat(sum.leave(broken)).isEqualTo(A);
        assertThat(sum.leave(infinite)).isEqualTo(B);
        assertThat(sum.size()).isZero();
        assertThat(sum.total()).isEqualTo(10);
    }
}
