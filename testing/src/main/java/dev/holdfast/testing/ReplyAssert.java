/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Reply;
import dev.holdfast.Source;
import java.util.Objects;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions on a {@link Reply}.
 *
 * @param <T> the type of the answer
 */
public final class ReplyAssert<T extends @Nullable Object> extends AbstractAssert<ReplyAssert<T>, Reply<T>> {
    ReplyAssert(Reply<T> actual) {
        super(actual, ReplyAssert.class);
    }

    /** The answer is this one. */
    public ReplyAssert<T> hasValue(T expected) {
        isNotNull();
        if (!Objects.equals(actual.value(), expected)) {
            throw failureWithActualExpected(
                    actual.value(),
                    expected,
                    "Expected the answer <%s> but was <%s>, which is %s",
                    expected,
                    actual.value(),
                    whence());
        }
        return this;
    }

    /** The answer came from here. */
    public ReplyAssert<T> hasSource(Source expected) {
        isNotNull();
        return isFrom(expected.toString(), actual.source() == expected);
    }

    /** The dependency gave the answer, just now. */
    public ReplyAssert<T> isLive() {
        return hasSource(Source.LIVE);
    }

    /** The answer came from the cache and was older than its fresh time. */
    public ReplyAssert<T> isStale() {
        isNotNull();
        Source source = actual.source();
        return isFrom("a stale answer", source == Source.STALE_REVALIDATING || source == Source.STALE_ON_ERROR);
    }

    private ReplyAssert<T> isFrom(String expected, boolean holds) {
        if (!holds) {
            throw failure("Expected %s but the answer <%s> is %s", expected, actual.value(), whence());
        }
        return this;
    }

    /** The action was started so often. */
    public ReplyAssert<T> hasAttempts(int expected) {
        isNotNull();
        if (actual.attempts() != expected) {
            throw failureWithActualExpected(
                    actual.attempts(),
                    expected,
                    "Expected %d attempts but there were %d: %s",
                    expected,
                    actual.attempts(),
                    actual.history());
        }
        return this;
    }

    private String whence() {
        return actual.source() + " of age " + actual.age() + " after " + actual.attempts() + " attempts";
    }
}
