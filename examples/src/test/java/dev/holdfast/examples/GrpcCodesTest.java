/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.Holdfast;
import dev.holdfast.grpc.GrpcClassifier;
import dev.holdfast.testlogs.Logs;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Codes of gRPC in a file, for a stub without the interceptor. */
class GrpcCodesTest {
    private static Holdfast load(String base) {
        String file = """
                pipelines:
                  stock:
                    retry: { max-attempts: 2, backoff: { initial: 1ms }, budget: { enabled: false } }
                    classifier: { failures: [ABORTED], ignored: [UNAVAILABLE]%s }
                """.formatted(base);
        return Holdfast.builder()
                .bind("grpc", GrpcClassifier.ofDefaults())
                .load("stock.yaml", new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)));
    }

    private static int attempts(Holdfast holdfast, Exception error) {
        AtomicInteger attempts = new AtomicInteger();
        assertThatThrownBy(() -> holdfast.pipeline("stock").call(() -> {
                    attempts.incrementAndGet();
                    throw error;
                }))
                .isSameAs(error);
        return attempts.get();
    }

    @Test
    void theBaseReadsThem() {
        try (Holdfast holdfast = load(", base: grpc")) {
            assertThat(attempts(holdfast, Status.ABORTED.asRuntimeException())).isEqualTo(2);
            assertThat(attempts(holdfast, new IllegalStateException(Status.ABORTED.asException())))
                    .isEqualTo(2);
            assertThat(attempts(holdfast, Status.UNAVAILABLE.asRuntimeException()))
                    .isEqualTo(1);
            assertThat(attempts(holdfast, Status.INTERNAL.asRuntimeException()))
                    .as("the table")
                    .isEqualTo(2);
            assertThat(attempts(holdfast, Status.NOT_FOUND.asRuntimeException()))
                    .as("the table")
                    .isEqualTo(1);
        }
    }

    @Test
    @Logs("a file lists codes of gRPC.*nobody reads it.*base: that-name")
    void withoutSuchABaseNobodyDoesAndAWarningSaysSo() {
        StatusRuntimeException unavailable = Status.UNAVAILABLE.asRuntimeException();
        try (Holdfast holdfast = load("")) {
            assertThat(attempts(holdfast, unavailable)).isEqualTo(2);
        }
    }
}
