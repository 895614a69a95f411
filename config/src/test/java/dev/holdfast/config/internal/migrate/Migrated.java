/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.config.Holdfast;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.throttling.ThrottleSettings;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the command has made of some files, loaded. */
final class Migrated implements AutoCloseable {
    private final String yaml;
    private final String summary;
    private final Holdfast holdfast;

    private Migrated(String yaml, String summary, Holdfast holdfast) {
        this.yaml = yaml;
        this.summary = summary;
        this.holdfast = holdfast;
    }

    /** How the command ended. */
    record Result(int code, String out, String err) {}

    static Result run(Path... files) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Migration.run(
                Stream.of(files).map(Path::toString).toList(),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Result(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** The output is loaded each time, so that no output of a test can fail to load. */
    static Migrated of(Path... files) throws IOException {
        return of(System::getenv, files);
    }

    /** With the values of the variables that the output needs. */
    static Migrated of(Function<String, @Nullable String> variables, Path... files) throws IOException {
        Result result = run(files);
        assertThat(result.err()).as("standard error").hasLineCount(1);
        assertThat(result.code()).as("exit code, with %s", result.err()).isZero();
        Path target = Files.createTempFile(files[0].toAbsolutePath().getParent(), "migrated", ".yaml");
        Holdfast holdfast = Holdfast.builder().placeholders(variables).load(Files.writeString(target, result.out()));
        return new Migrated(result.out(), result.err(), holdfast);
    }

    /** Of a file with this text. */
    static Migrated of(Path directory, String name, String text) throws IOException {
        return of(Files.writeString(directory.resolve(name), text));
    }

    /** Of properties of resilience4j, written without that word. */
    static Migrated ofProperties(Path directory, String... properties) throws IOException {
        return of(
                directory,
                "application.properties",
                Stream.of(properties).map(line -> "resilience4j." + line + "\n").collect(Collectors.joining()));
    }

    String yaml() {
        return yaml;
    }

    /** The comments and options with every run of blanks as one, and lines of comments joined. */
    String text() {
        return yaml.replaceAll("\\n *#   ", " ").replaceAll(" +", " ");
    }

    String summary() {
        return summary;
    }

    List<String> names() {
        return holdfast.pipelines().stream().map(Pipeline::name).toList();
    }

    Pipeline pipeline(String name) {
        return holdfast.pipeline(name);
    }

    String retry(String name) {
        return pipeline(name).policy(RetryPolicy.class).settings().toString();
    }

    CircuitBreakerSettings breaker(String name) {
        return pipeline(name).policy(CircuitBreakerPolicy.class).settings();
    }

    ThrottleSettings throttle(String name) {
        return pipeline(name).policy(ThrottlePolicy.class).settings();
    }

    BulkheadSettings bulkhead(String name) {
        return pipeline(name).policy(BulkheadPolicy.class).settings();
    }

    Duration timeout(String name) {
        return pipeline(name).policy(TimeoutPolicy.class).limit();
    }

    @Override
    public void close() {
        holdfast.close();
    }
}
