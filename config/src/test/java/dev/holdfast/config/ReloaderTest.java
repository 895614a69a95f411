/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logged;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What watching sees. Each look is called by hand. */
@Logs(
        value = {"configuration was read again", "a changed configuration"},
        sometimes = true)
class ReloaderTest {
    private static final String YAML = "pipelines: { prices: { timeout: %s } }";

    private final List<String> told = new ArrayList<>();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("holdfast.yaml");
    }

    private void write(String timeout) throws IOException {
        Files.writeString(file(), YAML.formatted(timeout));
    }

    private Holdfast.Builder builder() {
        return Holdfast.builder()
                .observer(new CallObserver() {
                    @Override
                    public void configurationRead(Object configuration, boolean applied, String message) {
                        told.add((applied ? "applied: " : "refused: ") + message);
                    }
                })
                .observer(new MicrometerObserver(registry));
    }

    private Reloader reloader(Holdfast holdfast) {
        return new Reloader(holdfast, List.of(TextSource.of(file())), Duration.ofDays(1));
    }

    private static void look(Reloader reloader, int times) {
        for (int i = 0; i < times; i++) {
            reloader.look();
        }
    }

    private static Duration timeout(Holdfast holdfast) {
        return holdfast.pipeline("prices").policy(TimeoutPolicy.class).limit();
    }

    /** As Kotlin's code may. */
    private static <X extends Throwable> int sneaky(Throwable thrown) throws X {
        @SuppressWarnings("unchecked")
        X unchecked = (X) thrown;
        throw unchecked;
    }

    @Test
    void theFirstLineOfARefusedReloadSaysWhatIsWrong() throws Exception {
        write("1s");
        try (Logged logged = new Logged(Holdfast.class.getName()).start();
                Holdfast holdfast = builder().load(file())) {
            Reloader reloader = reloader(holdfast);
            write("1000d");
            look(reloader, 2);
            write("2, retry: { max-attempts: 0 }, bulkhead: { max-wait: 3 }");
            look(reloader, 2);

            String refused = "a changed configuration is refused, and the last good one stays: " + file() + ":1:33 ";
            assertThat(logged.messages())
                    .satisfiesExactly(
                            one -> assertThat(one)
                                    .isEqualTo(refused + "pipelines.prices.timeout: is 1000d; expected 1ms to 1d"),
                            three -> assertThat(three.lines())
                                    .hasSize(3)
                                    .first()
                                    .asString()
                                    .startsWith(refused + "pipelines.prices.timeout: is 2, which has no unit")
                                    .endsWith(" (and 2 more)"));
        }
    }

    @Test
    @Logs("an observer threw")
    void anObserverThatThrowsACheckedExceptionEndsNoReload() throws Exception {
        write("1s");
        CallObserver kotlins = new CallObserver() {
            @Override
            public void configurationRead(Object configuration, boolean applied, String message) {
                int unused = ReloaderTest.<RuntimeException>sneaky(new IOException("no alert could be sent"));
            }
        };
        try (Holdfast holdfast = Holdfast.builder().observer(kotlins).load(file())) {
            write("2s");
            assertThat(holdfast.reload()).containsExactly("prices");
            write("3s");
            look(reloader(holdfast), 2);
            assertThat(timeout(holdfast)).hasSeconds(3);
        }
    }

    @Test
    @Logs("no longer in the configuration, and go on as before: prices")
    void aPipelineThatTheFileHasNoLongerIsToldOnce() throws Exception {
        String yaml = "pipelines: { stock: { timeout: 1s }%s }";
        Files.writeString(file(), yaml.formatted(", prices: { timeout: 1s }"));
        try (Holdfast holdfast = builder().load(file())) {
            Reloader reloader = reloader(holdfast);
            Files.writeString(file(), yaml.formatted(""));
            look(reloader, 4);
            assertThat(holdfast.reload()).isEmpty();
            assertThat(told)
                    .containsExactly(
                            "applied: no pipeline changed;"
                                    + " these pipelines are no longer in the configuration, and go on as before: prices",
                            "applied: no pipeline changed");
            assertThat(holdfast.pipelines()).hasSize(2);

            Files.writeString(file(), yaml.formatted(", prices: { timeout: 2s }"));
            assertThat(holdfast.reload()).containsExactly("prices");
            Files.writeString(file(), yaml.formatted("").replace("1s", "3s"));
            assertThat(holdfast.reload()).containsExactly("stock");
            assertThat(told)
                    .endsWith("applied: changed stock;"
                            + " these pipelines are no longer in the configuration, and go on as before: prices");
        }
    }

    @Test
    void aCheckedExceptionOfForeignCodeEndsNoLook() throws Exception {
        write("1s");
        Function<String, @Nullable String> variables =
                name -> "" + ReloaderTest.<RuntimeException>sneaky(new TimeoutException("not now"));
        try (Holdfast holdfast = builder().placeholders(variables).load(file())) {
            Reloader reloader = reloader(holdfast);
            write("'${LIMIT}'");
            look(reloader, 3);
            assertThat(told).containsExactly("refused: not now");
            write("2s");
            look(reloader, 2);
            assertThat(timeout(holdfast)).hasSeconds(2);
        }
    }

    @Test
    @Timeout(60)
    void aPipeInPlaceOfTheFileIsRefusedAndWatchingGoesOn() throws Exception {
        write("1s");
        try (Holdfast holdfast = builder().load(file())) {
            Files.delete(file());
            assertThat(new ProcessBuilder("mkfifo", file().toString()).start().waitFor())
                    .isZero();
            assertThatThrownBy(holdfast::reload)
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("is no regular file, and so is not read again");
            Files.delete(file());
            write("2s");
            holdfast.reload();
            assertThat(timeout(holdfast)).hasSeconds(2);
        }
    }

    @Test
    @Logs("an observer threw.*this thread reloads the configuration already")
    void anObserverCannotReloadWithinAReload() throws Exception {
        write("1s");
        AtomicReference<Holdfast> loaded = new AtomicReference<>();
        CallObserver again = new CallObserver() {
            @Override
            public void configurationRead(Object configuration, boolean applied, String message) {
                loaded.get().reload();
            }
        };
        try (Holdfast holdfast = Holdfast.builder().observer(again).load(file())) {
            loaded.set(holdfast);
            write("2s");
            assertThat(holdfast.reload()).containsExactly("prices");
            assertThat(timeout(holdfast)).hasSeconds(2);
        }
    }

    @Test
    void whatWasRefusedIsNotCountedAfterItsConfigurationIsClosed() throws Exception {
        MicrometerObserver shared = new MicrometerObserver(registry);
        Path other = Files.writeString(directory.resolve("other.yaml"), "pipelines: { stock: { timeout: 1s } }");
        write("1s");
        try (Holdfast stays = Holdfast.builder().observer(shared).load(other)) {
            try (Holdfast refused = Holdfast.builder().observer(shared).load(file())) {
                write("wrong");
                assertThatThrownBy(refused::reload).isInstanceOf(ConfigException.class);
                stays.reload();
                assertThat(registry.get("holdfast.configuration.refused")
                                .gauge()
                                .value())
                        .isEqualTo(1);
            }
            assertThat(registry.get("holdfast.configuration.refused").gauge().value())
                    .isZero();
        }
    }

    @Test
    void aFileThatIsAgainAsBeforeAReloadByHandIsAChange() throws Exception {
        write("1s");
        try (Holdfast holdfast = builder().load(file())) {
            Reloader reloader = reloader(holdfast);
            look(reloader, 2);
            write("2s");
            holdfast.reload();
            assertThat(timeout(holdfast)).isEqualTo(Duration.ofSeconds(2));
            write("1s");
            look(reloader, 3);
            assertThat(timeout(holdfast)).isEqualTo(Duration.ofSeconds(1));
            assertThat(told).containsExactly("applied: changed prices", "applied: changed prices");
        }
    }

    @Test
    void aFileThatIsAgainAsBeforeOneThatWasRefusedByHandIsRefusedNoLonger() throws Exception {
        write("1s");
        try (Holdfast holdfast = builder().load(file())) {
            Reloader reloader = reloader(holdfast);
            look(reloader, 2);
            write("1");
            assertThatExceptionOfType(ConfigException.class).isThrownBy(holdfast::reload);
            assertThat(refused()).isOne();
            write("1s");
            look(reloader, 3);
            assertThat(refused()).isZero();
        }
    }

    private double refused() {
        return registry.get("holdfast.configuration.refused").gauge().value();
    }

    @Test
    void anInterruptOfSomebodyElseDoesNotEndIt() throws Exception {
        write("1s");
        Holdfast holdfast = builder().load(file());
        AtomicInteger looks = new AtomicInteger();
        Source closing = new Source() {
            @Override
            public boolean isReadAgain() {
                return true;
            }

            @Override
            public Taken taken() {
                looks.incrementAndGet();
                holdfast.close();
                return TextSource.of(file()).taken();
            }
        };
        Thread.currentThread().interrupt();
        new Reloader(holdfast, List.of(closing), Duration.ZERO).run();
        assertThat(looks).hasValue(1);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void aChangeRightAfterTheLoadingIsSeen() throws Exception {
        write("1s");
        try (Holdfast holdfast = builder().load(file())) {
            write("2s");
            Reloader reloader = reloader(holdfast);
            look(reloader, 3);
            assertThat(timeout(holdfast)).isEqualTo(Duration.ofSeconds(2));
        }
    }

    @Test
    void aWrongFileIsReadAndToldOnce() throws Exception {
        write("1s");
        AtomicInteger asked = new AtomicInteger();
        Function<String, @Nullable String> variables = name -> {
            asked.incrementAndGet();
            return "2";
        };
        try (Holdfast holdfast = builder().placeholders(variables).load(file())) {
            Reloader reloader = reloader(holdfast);
            write("'${LIMIT}'");
            look(reloader, 10);
            assertThat(told).singleElement().asString().startsWith("refused: ").contains("which has no unit");
            assertThat(asked).hasValue(1);
        }
    }

    /** Also what else says that the file cannot be read. */
    static Stream<Throwable> notNow() {
        return Stream.of(
                new IllegalArgumentException("not now"),
                new IOException("not now"),
                new FileNotFoundException("not now"));
    }

    @ParameterizedTest
    @MethodSource("notNow")
    void whatForeignCodeThrewOnceIsTriedAgainAtTheNextLook(Throwable notNow) throws Exception {
        write("1s");
        AtomicInteger asked = new AtomicInteger();
        Function<String, @Nullable String> variables = name -> {
            return asked.incrementAndGet() == 1 ? "" + ReloaderTest.<RuntimeException>sneaky(notNow) : "2s";
        };
        try (Holdfast holdfast = builder().placeholders(variables).load(file())) {
            Reloader reloader = reloader(holdfast);
            look(reloader, 2);
            write("'${LIMIT}'");
            for (int i = 0; i < 3; i++) {
                try {
                    reloader.look();
                } catch (Exception seen) {
                    // Whether a look throws does not matter here: the thread that watches goes on.
                    assertThat(seen).hasMessage("not now");
                }
            }
            assertThat(timeout(holdfast)).isEqualTo(Duration.ofSeconds(2));
            assertThat(told).containsExactly("refused: not now", "applied: changed prices");
        }
    }

    @Test
    void whatForeignCodeThrowsAtEachLookIsToldOnceForEachContent() throws Exception {
        write("1s");
        AtomicInteger asked = new AtomicInteger();
        Function<String, @Nullable String> variables = name -> {
            asked.incrementAndGet();
            throw new IllegalArgumentException("no " + name);
        };
        try (Holdfast holdfast = builder().placeholders(variables).load(file())) {
            Reloader reloader = reloader(holdfast);
            write("'${LIMIT}'");
            look(reloader, 10);
            assertThat(told).containsExactly("refused: no LIMIT");
            assertThat(asked).hasValue(9);
            write("'${OTHER}'");
            look(reloader, 10);
            assertThat(told).containsExactly("refused: no LIMIT", "refused: no OTHER");
            write("1s");
            look(reloader, 10);
            assertThat(told).last().isEqualTo("applied: no pipeline changed");
            assertThat(told).hasSize(3);
        }
    }

    /** As if too many files were open in one moment. */
    @Test
    void aFileThatCouldNotBeOpenedOnceIsTriedAgain() throws Exception {
        AtomicInteger fails = new AtomicInteger(Integer.MAX_VALUE);
        String[] text = {YAML.formatted("1s")};
        ClassLoader loader = new ClassLoader(ReloaderTest.class.getClassLoader()) {
            @Override
            public InputStream getResourceAsStream(String name) {
                InputStream good = new ByteArrayInputStream(text[0].getBytes(StandardCharsets.UTF_8));
                return fails.decrementAndGet() != 0
                        ? good
                        : new FilterInputStream(good) {
                            @Override
                            public int read(byte[] bytes, int from, int length) throws IOException {
                                throw new IOException("Too many open files");
                            }
                        };
            }
        };
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try (Holdfast holdfast = builder().loadResource("any.yaml")) {
            thread.setContextClassLoader(before);
            Reloader reloader =
                    new Reloader(holdfast, List.of(TextSource.ofResource("any.yaml", loader)), Duration.ofDays(1));
            text[0] = YAML.formatted("2s");
            look(reloader, 1);
            fails.set(2); // first it is looked at, then it is read
            look(reloader, 1);
            assertThat(told).singleElement().asString().contains("Too many open files");
            look(reloader, 2);
            assertThat(timeout(holdfast)).isEqualTo(Duration.ofSeconds(2));
            assertThat(told).hasSize(2);
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
