/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.headers.RetryAfter;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * What an HTTP response means: 429, and 503 with {@code Retry-After}, are a pushback; any other 5xx is a failure, any
 * other 4xx the caller's own fault. An exception is a failure.
 */
final class HttpStatus implements Classifier {
    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        if (error != null) {
            return Verdict.FAILURE;
        }
        return value instanceof HttpResponse<?> response ? verdict(response) : Verdict.SUCCESS;
    }

    private static Verdict verdict(HttpResponse<?> response) {
        HttpHeaders headers = response.headers();
        int status = response.statusCode();
        if (status == 429 || (status == 503 && headers.firstValue("Retry-After").isPresent())) {
            return RetryAfter.http(name -> headers.firstValue(name).orElse(null));
        }
        if (status >= 500) {
            return Verdict.FAILURE;
        }
        return status >= 400 ? Verdict.IGNORED : Verdict.SUCCESS;
    }
}
