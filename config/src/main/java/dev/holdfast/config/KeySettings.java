/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How many instances a pipeline with keys has, and for how long.
 *
 * @param max most instances beside the one that all further keys share
 * @param idle an instance that had no call for this long goes
 */
record KeySettings(int max, Duration idle) {
    private static final Options<Builder> OPTIONS = new Options<>(
            "keys",
            Builder::new,
            List.of(
                    Option.integer("max", (Builder b) -> b.max, (b, max) -> b.max = max)
                            .range(1, 100_000)
                            .means("most instances; further keys share one more, which is called other"),
                    Option.duration("idle", (Builder b) -> b.idle, (b, idle) -> b.idle = idle)
                            .range(Duration.ofSeconds(1), Duration.ofDays(1))
                            .means("an instance that had no call for this long goes")));

    static final KeySettings DEFAULTS = new Builder().build();

    // By hand: the JDK's own for records of Java 17 remembers the last one in the whole process, and so its class
    // loader.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeySettings keys && keys.max == max && keys.idle.equals(idle);
    }

    @Override
    public int hashCode() {
        return 31 * max + idle.hashCode();
    }

    static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** Collects settings. */
    static final class Builder {
        private int max = 1_000;
        private Duration idle = Duration.ofMinutes(10);

        /** Public for the reader of sections. */
        public KeySettings build() {
            OPTIONS.check(this).done();
            return new KeySettings(max, idle);
        }
    }
}
