/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.headers.RetryAfter;
import dev.holdfast.internal.Causes;
import dev.holdfast.internal.SafeLog;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A classifier of lists. A status decides first, then the nearest class of the error that is in a list, then the base. The
 * status is that of a {@code java.net.http.HttpResponse}, or what a function of the user's says. Codes of gRPC are read by
 * its adapter, which asks for them, or by the base. Two of the same lists are equal. Not changed once it is read.
 */
final class ListedClassifier implements Classifier.Listed {
    private static final SafeLog LOG = SafeLog.of(ListedClassifier.class.getName());
    private static final Set<String> STATUSES_OF_GRPC =
            Set.of("io.grpc.StatusRuntimeException", "io.grpc.StatusException");
    private static final int MOST = 600;
    private static final byte[] NONE = new byte[0];
    private static final List<Verdict> VERDICTS =
            List.of(Verdict.SUCCESS, Verdict.FAILURE, Verdict.PUSHBACK, Verdict.IGNORED);

    /** The module {@code java.net.http} is missing where nobody requires it, and in an image that leaves it out. */
    private static final boolean HAS_HTTP_CLIENT = hasHttpClient();

    /** For each status the place of its verdict in the list, from 1; 0 if it has none. Small: a file may have many. */
    private byte[] byStatus = NONE;

    private final Map<String, Verdict> byCode = new HashMap<>();
    private final Map<Class<?>, Verdict> byError = new HashMap<>();
    private Classifier base = Classifier.DEFAULT;
    private @Nullable ToIntFunction<@Nullable Object> status;
    private final AtomicBoolean warned = new AtomicBoolean();

    private static boolean hasHttpClient() {
        try {
            Class.forName("java.net.http.HttpResponse", false, ListedClassifier.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException missing) {
            return false;
        }
    }

    void base(Classifier newBase) {
        base = newBase;
    }

    @SuppressWarnings("unchecked") // a file gives a function by name, without its type arguments
    void status(ToIntFunction<?> newStatus) {
        status = (ToIntFunction<@Nullable Object>) newStatus;
    }

    /** False if the status is in another list. */
    boolean add(int added, Verdict verdict) {
        if (byStatus == NONE) {
            byStatus = new byte[MOST];
        }
        byte before = byStatus[added];
        byStatus[added] = (byte) (1 + VERDICTS.indexOf(verdict));
        return before == 0 || before == byStatus[added];
    }

    /** False if the code of gRPC is in another list. */
    boolean add(String added, Verdict verdict) {
        Verdict before = byCode.put(added, verdict);
        return before == null || before == verdict;
    }

    /** False if the class is in another list. */
    boolean add(Class<? extends Throwable> added, Verdict verdict) {
        Verdict before = byError.put(added, verdict);
        return before == null || before == verdict;
    }

    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        Verdict listed = ofStatus(statusOf(error == null ? value : error));
        if (listed == null && error != null) {
            Verdict coded = ofCode(error);
            listed = coded == null ? ofError(error) : coded;
        }
        if (listed == null) {
            return base.classify(value, error);
        }
        return listed == Verdict.PUSHBACK ? pushback(value) : listed;
    }

    private @Nullable Verdict ofCode(Throwable error) {
        if (byCode.isEmpty()) {
            return null;
        }
        if (base instanceof Classifier.Coded coded) {
            return coded.ofCode(error, this);
        }
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (STATUSES_OF_GRPC.contains(cause.getClass().getName()) && warned.compareAndSet(false, true)) {
                LOG.warn(
                        "a file lists codes of gRPC, and a call without HoldfastClientInterceptor failed with one: nobody reads it."
                                + " Bind GrpcClassifier.ofDefaults() to a name, and say base: that-name in the classifier",
                        cause);
            }
        }
        return null;
    }

    private int statusOf(@Nullable Object answer) {
        ToIntFunction<@Nullable Object> given = status;
        return given != null
                ? given.applyAsInt(answer)
                : HAS_HTTP_CLIENT && answer instanceof HttpResponse<?> http ? http.statusCode() : 0;
    }

    @Override
    public Classifier base() {
        return base;
    }

    @Override
    public @Nullable Verdict ofStatus(int found) {
        int verdict = found > 0 && found < byStatus.length ? byStatus[found] : 0;
        return verdict == 0 ? null : VERDICTS.get(verdict - 1);
    }

    @Override
    public @Nullable Verdict ofCode(String code) {
        return byCode.get(code);
    }

    @Override
    public @Nullable Verdict ofError(Throwable error) {
        for (Class<?> type = error.getClass(); type != null; type = type.getSuperclass()) {
            Verdict verdict = byError.get(type);
            if (verdict != null) {
                return verdict;
            }
        }
        return null;
    }

    private static Verdict pushback(@Nullable Object value) {
        if (!HAS_HTTP_CLIENT || !(value instanceof HttpResponse<?> http)) {
            return Verdict.PUSHBACK;
        }
        Function<String, @Nullable String> headers =
                name -> http.headers().firstValue(name).orElse(null);
        return http.statusCode() >= 500 ? RetryAfter.unavailable(headers) : RetryAfter.http(headers);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ListedClassifier listed
                && Arrays.equals(byStatus, listed.byStatus)
                && byCode.equals(listed.byCode)
                && byError.equals(listed.byError)
                && base.equals(listed.base)
                && Objects.equals(status, listed.status);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(byStatus), byCode, byError, base, status);
    }
}
