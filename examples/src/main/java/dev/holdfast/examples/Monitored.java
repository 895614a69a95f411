/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.config.Holdfast;
import dev.holdfast.micrometer.MicrometerObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A service to be monitored: prints where its metrics are, and reads what happens next from its standard input, a word a
 * line. With {@code ill} its dependencies fall ill, and its configuration gets an error; {@code well} ends both; {@code end}
 * ends the program.
 */
public final class Monitored {
    private Monitored() {}

    /** Runs until the input ends. */
    public static void main(String[] args) throws IOException {
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
        Path config = packedConfig();
        String good = Files.readString(config);
        try (MetricsPage page = new MetricsPage();
                Holdfast pipelines = Holdfast.builder()
                        .observer(new MicrometerObserver(page.registry()))
                        .watch(Duration.ofMillis(100))
                        .load(config);
                BufferedReader words = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            MonitoredService service = new MonitoredService(pipelines, (nanos, task) -> {
                Future<?> unused = timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
            });
            service.start();
            System.out.println(page.uri());
            for (String word = words.readLine(); word != null && !word.equals("end"); word = words.readLine()) {
                boolean ill = word.equals("ill");
                service.become(ill);
                Files.writeString(config, ill ? spoilt(good) : good);
            }
        } finally {
            timer.shutdownNow();
        }
    }

    /** The same with a mistake that somebody may make. */
    static String spoilt(String config) {
        return config.replace("timeout: 250ms", "timeout: 250");
    }

    /** A copy of the file in this jar, which may be changed. */
    static Path packedConfig() throws IOException {
        Path copy = Files.createTempDirectory("holdfast").resolve("monitored.yaml");
        try (InputStream packed = Monitored.class.getResourceAsStream("/monitored.yaml")) {
            Files.copy(Objects.requireNonNull(packed, "monitored.yaml is missing in the jar"), copy);
        }
        return copy;
    }
}
