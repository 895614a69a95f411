/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.http.RetryAfter;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A classifier of lists. A status decides first, then the nearest class of the error that is in a list, then the base. The
 * status is that of a {@code java.net.http.HttpResponse}, or what a function of the user's says. Not changed once it is read.
 */
final class ListedClassifier implements Classifier {
    private static final int MOST = 600;

    private final @Nullable Verdict[] byStatus = new Verdict[MOST];
    private final Map<Class<?>, Verdict> byError = new HashMap<>();
    private Classifier base = Classifier.DEFAULT;
    private @Nullable ToIntFunction<@Nullable Object> status;

    void base(Classifier newBase) {
        base = newBase;
    }

    @SuppressWarnings("unchecked") // a file gives a function by name, without its type arguments
    void status(ToIntFunction<?> newStatus) {
        status = (ToIntFunction<@Nullable Object>) newStatus;
    }

    /** False if the status is in another list. */
    boolean add(int added, Verdict verdict) {
        Verdict before = byStatus[added];
        byStatus[added] = verdict;
        return before == null || before == verdict;
    }

    /** False if the class is in another list. */
    boolean add(Class<? extends Throwable> added, Verdict verdict) {
        Verdict before = byError.put(added, verdict);
        return before == null || before == verdict;
    }

    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        Verdict listed = ofStatus(error == null ? value : error);
        if (listed == null && error != null) {
            listed = ofError(error);
        }
        if (listed == null) {
            return base.classify(value, error);
        }
        return listed == Verdict.PUSHBACK ? pushback(value) : listed;
    }

    private @Nullable Verdict ofStatus(@Nullable Object answer) {
        ToIntFunction<@Nullable Object> given = status;
        int found = given != null
                ? given.applyAsInt(answer)
                : answer instanceof HttpResponse<?> http ? http.statusCode() : 0;
        return found > 0 && found < MOST ? byStatus[found] : null;
    }

    private @Nullable Verdict ofError(Throwable error) {
        for (Class<?> type = error.getClass(); type != null; type = type.getSuperclass()) {
            Verdict verdict = byError.get(type);
            if (verdict != null) {
                return verdict;
            }
        }
        return null;
    }

    private static Verdict pushback(@Nullable Object value) {
        return value instanceof HttpResponse<?> http
                ? RetryAfter.http(name -> http.headers().firstValue(name).orElse(null))
                : Verdict.PUSHBACK;
    }
}
