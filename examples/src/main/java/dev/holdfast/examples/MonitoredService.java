/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import java.util.function.LongFunction;

/**
 * Calls of seven dependencies through the pipelines of {@code monitored.yaml}, without an end. The dependencies are modelled:
 * all are well, or all are ill, each in its own way.
 */
final class MonitoredService {
    private static final long BETWEEN_CALLS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int ARTICLES = 20;
    /** Of so many calls of the others there is one of invoices. */
    private static final int RARELY = 100;

    private static final int TENANTS = 10;
    private static final int MADE_UP = 100;

    /** Runs a task after a delay. */
    interface Later {
        void after(long nanos, Runnable task);
    }

    private final Later later;
    private final Operation<String> stock;
    private final Operation<String> orders;
    private final Operation<String> mail;
    private final CircuitBreaker breakerOfMail;
    private final Operation<String> search;
    private final Operation<String> accounts;
    private final Operation<String> prices;
    private final Operation<String> invoices;
    private final IntFunction<Operation<String>> tenants;
    private final AtomicLong calls = new AtomicLong();
    private final AtomicLong attempts = new AtomicLong();
    private volatile boolean ill;

    MonitoredService(Holdfast pipelines, Later later) {
        this.later = later;
        stock = pipelines.pipeline("stock").operation("lookup");
        orders = pipelines.pipeline("orders").operation("place");
        Pipeline ofMail = pipelines.pipeline("mail");
        mail = ofMail.operation("send");
        breakerOfMail = ofMail.policy(CircuitBreakerPolicy.class).asResilience4j();
        search = pipelines.pipeline("search").operation("find");
        accounts = pipelines.pipeline("accounts").operation("read");
        prices = pipelines.pipeline("prices").operation("quote");
        invoices = pipelines.pipeline("invoices").operation("make");
        tenants = tenant -> pipelines.pipeline("tenants", "tenant-" + tenant).operation("read");
    }

    /** Begins; each dependency is called 50 times a second, but for that of invoices. */
    void start() {
        call(calls.getAndIncrement());
        later.after(BETWEEN_CALLS, this::start);
    }

    /** Makes the dependencies ill or well. While they are ill, somebody has disabled the breaker of mail. */
    void become(boolean isIll) {
        ill = isIll;
        if (isIll) {
            breakerOfMail.transitionToDisabledState();
        } else {
            breakerOfMail.reset();
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the meters tell how calls end
    private void call(long number) {
        stock.key("article-" + number % ARTICLES).callAsync(attempt -> dependency(n -> ill ? fails(2) : answers(5)));
        orders.unkeyed().callAsync(attempt -> dependency(n -> ill && n % 10 < 7 ? fails(5) : answers(30)));
        mail.unkeyed().callAsync(attempt -> dependency(n -> ill && n % 10 < 6 ? fails(20) : answers(40)));
        search.unkeyed().callAsync(attempt -> dependency(n -> ill ? hangs(n) : answers(20)));
        accounts.unkeyed().callAsync(attempt -> dependency(n -> ill ? refuses(5) : answers(10)));
        prices.unkeyed().callAsync(attempt -> dependency(n -> ill ? fails(5) : answers(10)));
        int tenant = (int) (number % (ill ? MADE_UP : TENANTS));
        tenants.apply(tenant).unkeyed().callAsync(attempt -> dependency(n -> ill ? fails(5) : answers(10)));
        if (number % RARELY == 0) {
            invoices.unkeyed().callAsync(attempt -> dependency(n -> ill ? fails(5) : answers(10)));
        }
    }

    private CompletionStage<String> dependency(LongFunction<CompletionStage<String>> behaviour) {
        // Scrambled, so that no dependency meets always the same numbers.
        return behaviour.apply((attempts.getAndIncrement() * 7_919) % 1_009);
    }

    private CompletableFuture<String> answers(int millis) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        later.after(TimeUnit.MILLISECONDS.toNanos(millis), () -> answer.complete("good"));
        return answer;
    }

    private CompletableFuture<String> fails(int millis) {
        return ends(millis, new IOException("is ill"));
    }

    private CompletableFuture<String> refuses(int millis) {
        return ends(millis, new SecurityException("the credential has expired"));
    }

    private CompletableFuture<String> ends(int millis, Exception error) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        later.after(TimeUnit.MILLISECONDS.toNanos(millis), () -> answer.completeExceptionally(error));
        return answer;
    }

    /** Of ten attempts, two never end, two end late, and the others are slow. Deaf to a cancellation, as many clients are. */
    private CompletionStage<String> hangs(long number) {
        CompletableFuture<String> answer = switch ((int) (number % 10)) {
            case 0, 1 -> new CompletableFuture<>();
            case 2, 3 -> answers(600);
            default -> answers(80);
        };
        return answer.minimalCompletionStage();
    }
}
