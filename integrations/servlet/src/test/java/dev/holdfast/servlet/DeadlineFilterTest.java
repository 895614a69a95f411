/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.servlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.http.HoldfastHttpClient;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over a real server: what the filter binds, for how long, and what it turns away. */
class DeadlineFilterTest {
    private static final Duration MAX = Duration.ofSeconds(30);
    private static final String TIMEOUT = "Holdfast-Timeout-Ms";

    // Kept, so that their levels are kept. The first tells of each start and of a slow machine, the second of what it
    // may not look into at
    // the end.
    private static final Logger SERVER = Logger.getLogger("org.apache");
    private static final Logger LOADER = Logger.getLogger("org.apache.catalina.loader");

    private final VirtualTime time = new VirtualTime();
    private final Tomcat tomcat = new Tomcat();
    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicInteger served = new AtomicInteger();
    /** What came out of the filter, for the filter around it. */
    private final List<Throwable> thrown = new CopyOnWriteArrayList<>();

    private boolean commits;
    /** Adds filters inside of the one for all. */
    private Consumer<ServletContext> added = servlets -> {};

    @TempDir
    @SuppressWarnings("NullAway.Init")
    File folder;

    interface Work {
        void serve(HttpServletRequest request, HttpServletResponse response) throws IOException, ServletException;
    }

    @BeforeEach
    void start() throws LifecycleException {
        SERVER.setLevel(Level.SEVERE);
        LOADER.setLevel(Level.OFF);
        tomcat.setSilent(true);
        tomcat.setBaseDir(folder.getPath());
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        // One thread for all: what a request left on it, the next one finds.
        tomcat.getConnector().setProperty("maxThreads", "1");
        tomcat.getConnector().setProperty("minSpareThreads", "1");
    }

    @AfterEach
    void stop() throws LifecycleException {
        time.close();
        tomcat.stop();
        tomcat.destroy();
    }

    /** Serves /: the work, behind the filter; /out: without it; /error: where errors go. */
    private void serves(Work work) throws LifecycleException {
        serves(DeadlineFilter.of(MAX, CallHeaders.of(h -> h.time(time)), time), work);
    }

    private void serves(DeadlineFilter filter, Work work) throws LifecycleException {
        Context context = tomcat.addContext("", folder.getPath());
        add(context, "work", "/", work);
        add(context, "error", "/error", (request, response) -> {
            response.getWriter().print("error page with " + left());
            response.setStatus(500);
        });
        ErrorPage page = new ErrorPage();
        page.setLocation("/error");
        context.addErrorPage(page);
        context.addServletContainerInitializer(
                (classes, servlets) -> {
                    var outer = servlets.addFilter("outer", new Outer());
                    outer.setAsyncSupported(true);
                    outer.addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
                    filter.addTo(servlets);
                    added.accept(servlets);
                    assertThatThrownBy(() -> filter.addTo(servlets)).isInstanceOf(IllegalStateException.class);
                },
                null);
        tomcat.start();
    }

    private void add(Context context, String name, String path, Work work) {
        Wrapper wrapper = Tomcat.addServlet(context, name, new HttpServlet() {
            @Override
            protected void service(HttpServletRequest request, HttpServletResponse response)
                    throws IOException, ServletException {
                served.incrementAndGet();
                work.serve(request, response);
            }
        });
        wrapper.setAsyncSupported(true);
        wrapper.addMapping(path);
    }

    private final class Outer implements Filter {
        @Override
        public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
                throws IOException, ServletException {
            if (commits) {
                response.flushBuffer();
            }
            try {
                chain.doFilter(request, response);
            } catch (IOException | ServletException | RuntimeException e) {
                thrown.add(e);
                throw e;
            } finally {
                assertThat(Deadline.remaining()).isEmpty();
            }
        }
    }

    private static String left() {
        return Deadline.remaining().map(Duration::toString).orElse("none");
    }

    private static void tell(HttpServletResponse response) throws IOException {
        response.getWriter().print(left());
    }

    private HttpRequest.Builder request() {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/"));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.timeout(Duration.ofMinutes(1)).build(), BodyHandlers.ofString());
    }

    private String answer(String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request();
        return send(headers.length == 0 ? request : request.headers(headers)).body();
    }

    // ---- what is bound

    @Test
    void theTimeOfTheHeaderIsBound() throws Exception {
        serves((request, response) -> tell(response));
        assertThat(answer(TIMEOUT, "900")).isEqualTo("PT0.9S");
        assertThat(answer("grpc-timeout", "2S")).isEqualTo("PT2S");
    }

    @Test
    void theMaximumHoldsWithoutAHeaderAndForALongerOne() throws Exception {
        serves((request, response) -> tell(response));
        assertThat(answer()).isEqualTo("PT30S");
        assertThat(answer(TIMEOUT, "31000")).isEqualTo("PT30S");
        assertThat(answer(TIMEOUT, "soon")).isEqualTo("PT30S");
        // The thread is the same in each of them.
        assertThat(answer(TIMEOUT, "900")).isEqualTo("PT0.9S");
        assertThat(answer()).isEqualTo("PT30S");
    }

    @Test
    void theNumberOfTheAttemptIsBound() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        try (Pipeline inside = Pipeline.builder("inside")
                .time(time)
                .policies(RetryPolicy.of(r -> r.maxAttempts(3)))
                .build()) {
            serves((request, response) -> {
                try {
                    inside.call(() -> {
                        attempts.incrementAndGet();
                        throw new IOException("down");
                    });
                } catch (IOException e) {
                    response.getWriter().print(e.getMessage());
                }
            });
            assertThat(answer("Holdfast-Attempt", "2")).isEqualTo("down");
            assertThat(attempts).as("inside the sender's second attempt").hasValue(1);
        }
    }

    @Test
    void ownHeadersAreRead() throws Exception {
        serves(
                DeadlineFilter.of(MAX, CallHeaders.of(h -> h.time(time).timeoutMillis("X-Left")), time),
                (request, response) -> tell(response));
        assertThat(answer("X-Left", "900")).isEqualTo("PT0.9S");
        assertThat(answer(TIMEOUT, "900")).isEqualTo("PT30S");
    }

    // ---- no time left

    @Test
    void noTimeLeftIs504WithoutWork() throws Exception {
        serves((request, response) -> tell(response));
        HttpResponse<String> answer =
                send(request().header(TIMEOUT, "0").POST(BodyPublishers.ofString("a body that nobody reads")));
        assertThat(answer.statusCode()).isEqualTo(504);
        assertThat(answer.headers().firstValue("Content-Length")).hasValue("0");
        assertThat(answer.body()).isEmpty();
        assertThat(served).hasValue(0);
        assertThat(thrown).isEmpty();
    }

    /** The one thread is busy, and the request waits for it longer than its sender for the answer. */
    @Test
    void theTimeInTheQueueOfTheContainerCounts() throws Exception {
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
        BlockingQueue<String> busy = new ArrayBlockingQueue<>(1);
        BlockingQueue<String> free = new ArrayBlockingQueue<>(1);
        ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, queue);
        try {
            tomcat.getConnector().getProtocolHandler().setExecutor(headers.queued(pool));
            serves(DeadlineFilter.of(MAX, headers, time), (request, response) -> {
                if (request.getHeader("Long") != null) {
                    busy.add("now");
                    taken(free);
                }
                tell(response);
            });
            CompletableFuture<HttpResponse<String>> first = sendAsync(request().header("Long", "yes"));
            taken(busy);
            CompletableFuture<HttpResponse<String>> late = sendAsync(request().header(TIMEOUT, "200"));
            CompletableFuture<HttpResponse<String>> inTime = sendAsync(request().header(TIMEOUT, "900"));
            while (queue.size() < 2) {
                Thread.onSpinWait();
            }
            time.advance(Duration.ofMillis(300));
            free.add("now");

            assertThat(first.get(1, TimeUnit.MINUTES).statusCode()).isEqualTo(200);
            assertThat(late.get(1, TimeUnit.MINUTES).statusCode()).isEqualTo(504);
            assertThat(inTime.get(1, TimeUnit.MINUTES).body()).isEqualTo("PT0.6S");
            assertThat(served).hasValue(2);
        } finally {
            pool.shutdownNow();
        }
    }

    private CompletableFuture<HttpResponse<String>> sendAsync(HttpRequest.Builder request) {
        return client.sendAsync(request.timeout(Duration.ofMinutes(1)).build(), BodyHandlers.ofString());
    }

    private static void taken(BlockingQueue<String> queue) {
        try {
            assertThat(queue.poll(1, TimeUnit.MINUTES)).isNotNull();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void noTimeLeftChangesNoAnswerThatIsOnItsWay() throws Exception {
        commits = true;
        serves((request, response) -> tell(response));
        HttpResponse<String> answer = send(request().header(TIMEOUT, "0"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
        assertThat(served).hasValue(0);
    }

    /** That exception says no time is left, too, but the work has begun. */
    @Test
    @Logs("Servlet.service.. for servlet .work. in context")
    void aRejectionInsideTheServletIsTheServletsOwn() throws Exception {
        serves((request, response) -> {
            throw new CallRejectedException(Reason.DEADLINE_EXCEEDED, "inside", "deadline", "over", -1, null);
        });
        HttpResponse<String> answer = send(request().header(TIMEOUT, "900"));
        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(thrown).hasSize(1).first().isInstanceOf(CallRejectedException.class);
    }

    // ---- exceptions

    @Test
    @Logs("Servlet.service.. for servlet .work. in context")
    void exceptionsComeOutAsTheyAre() throws Exception {
        IOException io = new IOException("broken");
        ServletException servlet = new ServletException("wrong");
        serves((request, response) -> {
            if (request.getHeader("io") != null) {
                throw io;
            }
            throw servlet;
        });
        assertThat(answer("io", "yes", TIMEOUT, "900")).isEqualTo("error page with PT0.9S");
        assertThat(answer()).isEqualTo("error page with PT30S");
        assertThat(thrown).containsExactly(io, servlet);
    }

    @Test
    void theErrorPageHasWhatIsLeft() throws Exception {
        serves((request, response) -> {
            time.advance(Duration.ofMillis(300));
            response.sendError(418);
        });
        assertThat(answer(TIMEOUT, "900")).isEqualTo("error page with PT0.6S");
    }

    @Test
    void theErrorPageComesAlsoWithNoTimeLeft() throws Exception {
        serves((request, response) -> {
            time.advance(Duration.ofSeconds(1));
            response.sendError(418);
        });
        assertThat(answer(TIMEOUT, "900")).isEqualTo("error page with PT0S");
    }

    // ---- asynchronous servlets

    private CompletableFuture<HttpResponse<String>> sendAsync(String millis) {
        return client.sendAsync(
                request().header(TIMEOUT, millis).timeout(Duration.ofMinutes(1)).build(), BodyHandlers.ofString());
    }

    private static AsyncContext next(BlockingQueue<AsyncContext> waiting) throws InterruptedException {
        AsyncContext context = waiting.poll(1, TimeUnit.MINUTES);
        assertThat(context).isNotNull();
        return Objects.requireNonNull(context);
    }

    @Test
    void aLaterDispatchHasWhatIsLeft() throws Exception {
        BlockingQueue<AsyncContext> waiting = new ArrayBlockingQueue<>(1);
        serves((request, response) -> {
            response.getWriter().print(request.getDispatcherType() + " " + left() + ";");
            if (request.getDispatcherType() == DispatcherType.REQUEST) {
                waiting.add(request.startAsync());
            }
        });
        CompletableFuture<HttpResponse<String>> answer = sendAsync("900");
        AsyncContext context = next(waiting);
        time.advance(Duration.ofMillis(300));
        context.dispatch();
        assertThat(answer.get(1, TimeUnit.MINUTES).body()).isEqualTo("REQUEST PT0.9S;ASYNC PT0.6S;");
    }

    @Test
    void aLaterDispatchGoesOnWithNoTimeLeft() throws Exception {
        BlockingQueue<AsyncContext> waiting = new ArrayBlockingQueue<>(1);
        serves((request, response) -> {
            if (request.getDispatcherType() == DispatcherType.REQUEST) {
                waiting.add(request.startAsync());
            } else {
                tell(response);
            }
        });
        CompletableFuture<HttpResponse<String>> answer = sendAsync("900");
        AsyncContext context = next(waiting);
        time.advance(Duration.ofSeconds(1));
        context.dispatch();
        assertThat(answer.get(1, TimeUnit.MINUTES).statusCode()).isEqualTo(200);
        assertThat(answer.get(1, TimeUnit.MINUTES).body()).isEqualTo("PT0S");
    }

    @Test
    void aThreadOfTheServletsGetsItWithAnExecutor() throws Exception {
        BlockingQueue<String> told = new ArrayBlockingQueue<>(2);
        serves((request, response) -> {
            AsyncContext context = request.startAsync();
            Deadline.propagating(task -> new Thread(task).start()).execute(() -> {
                told.add(left());
                context.complete();
            });
        });
        assertThat(send(request().header(TIMEOUT, "900")).statusCode()).isEqualTo(200);
        assertThat(told.poll(1, TimeUnit.MINUTES)).isEqualTo("PT0.9S");
    }

    /** Tells what is left in each listener, without anything done for it and with the executor of the request. */
    private static final class Tells implements ReadListener, WriteListener, AsyncListener {
        private final Executor ofRequest = Deadline.fixed(Runnable::run);
        private final BlockingQueue<String> told;
        private final AsyncContext context;
        private final ServletInputStream in;
        private final ServletOutputStream out;

        Tells(HttpServletRequest request, HttpServletResponse response, BlockingQueue<String> told) throws IOException {
            this.told = told;
            context = request.startAsync();
            in = request.getInputStream();
            out = response.getOutputStream();
            context.addListener(this);
            in.setReadListener(this);
        }

        private void tell(String where) {
            String without = left();
            ofRequest.execute(() -> told.add(where + " " + without + " " + left()));
        }

        @Override
        public void onDataAvailable() throws IOException {
            tell("data");
            while (in.isReady() && in.read() >= 0) {}
        }

        @Override
        public void onAllDataRead() {
            tell("all");
            out.setWriteListener(this);
        }

        @Override
        public void onWritePossible() {
            tell("write");
            context.start(() -> tell("start"));
            Deadline.propagating(context::start).execute(context::complete);
        }

        @Override
        public void onComplete(AsyncEvent event) {
            tell("complete");
        }

        @Override
        public void onError(Throwable error) {
            told.add(error.toString());
        }

        @Override
        public void onError(AsyncEvent event) {
            told.add(event.getThrowable().toString());
        }

        @Override
        public void onStartAsync(AsyncEvent event) {}

        @Override
        public void onTimeout(AsyncEvent event) {}
    }

    @Test
    void listenersAndTasksOfTheContainerHaveTheDeadlineOnlyWithAnExecutorOfTheServlet() throws Exception {
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        serves((request, response) ->
                assertThat(new Tells(request, response, told)).isNotNull());
        assertThat(send(request().header(TIMEOUT, "900").POST(BodyPublishers.ofString("a body")))
                        .statusCode())
                .isEqualTo(200);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            all.add(told.poll(1, TimeUnit.MINUTES));
        }
        assertThat(all)
                .containsExactly(
                        "data none PT0.9S",
                        "all none PT0.9S",
                        "write none PT0.9S",
                        "start none PT0.9S",
                        "complete none PT0.9S");
    }

    // ---- a second filter

    private void addsFilter(Duration max, String path) {
        DeadlineFilter second = DeadlineFilter.of(max, CallHeaders.of(h -> h.time(time)), time);
        added = servlets -> {
            var of = servlets.addFilter("second", second);
            of.setAsyncSupported(true);
            of.addMappingForUrlPatterns(
                    EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC, DispatcherType.ERROR), true, path);
        };
    }

    private String answerOf(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request().uri(request().build().uri().resolve(path));
        return send(headers.length == 0 ? request : request.headers(headers)).body();
    }

    @Test
    void aSecondFilterShortens() throws Exception {
        addsFilter(Duration.ofSeconds(2), "/api/*");
        serves((request, response) -> tell(response));
        assertThat(answerOf("/api/stock")).isEqualTo("PT2S");
        assertThat(answerOf("/api/stock", TIMEOUT, "900")).isEqualTo("PT0.9S");
        assertThat(answerOf("/other")).isEqualTo("PT30S");
    }

    @Test
    void aSecondFilterDoesNotLengthen() throws Exception {
        addsFilter(Duration.ofMinutes(2), "/*");
        serves((request, response) -> tell(response));
        assertThat(answer()).isEqualTo("PT30S");
    }

    @Test
    void aLaterDispatchHasWhatASecondFilterHasLeft() throws Exception {
        addsFilter(Duration.ofSeconds(2), "/*");
        BlockingQueue<AsyncContext> waiting = new ArrayBlockingQueue<>(1);
        serves((request, response) -> {
            response.getWriter().print(request.getDispatcherType() + " " + left() + ";");
            if (request.getDispatcherType() == DispatcherType.REQUEST) {
                waiting.add(request.startAsync());
            }
        });
        CompletableFuture<HttpResponse<String>> answer = sendAsync(request());
        AsyncContext context = next(waiting);
        time.advance(Duration.ofMillis(300));
        context.dispatch();
        assertThat(answer.get(1, TimeUnit.MINUTES).body()).isEqualTo("REQUEST PT2S;ASYNC PT1.7S;");
    }

    @Test
    void aFilterThatSeesOnlyTheErrorPageLetsItCome() throws Exception {
        addsFilter(Duration.ofSeconds(2), "/error");
        serves((request, response) -> {
            time.advance(Duration.ofSeconds(1));
            response.sendError(418);
        });
        assertThat(answer(TIMEOUT, "3000")).isEqualTo("error page with PT2S");
        assertThat(answer(TIMEOUT, "900")).isEqualTo("error page with PT0S");
    }

    // ---- a chain of services

    @Test
    void theDeadlineGoesDownAChainOfServices() throws Exception {
        Pipeline pipeline = Pipeline.of("next", RetryPolicy.of(r -> r.maxAttempts(2)));
        HttpClient next = HoldfastHttpClient.around(client, Pipelines.one(pipeline));
        // Not on virtual time: these minutes are far from over.
        serves(DeadlineFilter.of(Duration.ofHours(1)), (request, response) -> tell(response));
        HttpRequest request = request().build();
        Duration without =
                Duration.parse(next.send(request, BodyHandlers.ofString()).body());
        assertThat(without).isBetween(Duration.ofMinutes(30), Duration.ofHours(1));
        Duration left = Deadline.within(
                Duration.ofMinutes(5),
                () -> Duration.parse(next.sendAsync(request, BodyHandlers.ofString())
                        .get(1, TimeUnit.MINUTES)
                        .body()));
        assertThat(left).isBetween(Duration.ofMinutes(2), Duration.ofMinutes(5));
        pipeline.close();
    }

    // ---- the rest

    @Test
    void aRequestThatIsNotHttpPasses() throws Exception {
        ServletRequest request = stub(ServletRequest.class);
        ServletResponse response = stub(ServletResponse.class);
        List<@Nullable Object> passed = new CopyOnWriteArrayList<>();
        DeadlineFilter.of(MAX).doFilter(request, response, (in, out) -> passed.addAll(List.of(in, out, left())));
        assertThat(passed).containsExactly(request, response, "none");
    }

    private static <T> T stub(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, of) -> {
            return method.getName().equals("equals") ? self == of[0] : null;
        }));
    }

    @Test
    void theMaximumIsChecked() {
        assertThatThrownBy(() -> DeadlineFilter.of(Duration.ZERO))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("maxTimeout")
                .hasMessageContaining("1ms")
                .hasMessageContaining("365d");
    }
}
