/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.micrometer.MicrometerObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.IntConsumer;

/** The bare side and the Holdfast side with the same arrivals and the same faults, ready to be played once. */
final class Contest implements AutoCloseable {
    private static final Duration OPENING = Duration.ofSeconds(2);
    private static final int LONGEST_OPENING = 6;

    private final Stopwatch stopwatch = new Stopwatch();
    private final MetricsPage metrics = new MetricsPage();
    private final Timeline timeline;
    private final Load load;
    private final Side bare;
    private final Side holdfast;

    /**
     * Starts all services.
     *
     * @param client of the Holdfast side
     * @param config its pipelines
     * @param load of each side
     * @throws dev.holdfast.config.ConfigException if anything is wrong with the file
     */
    Contest(Timeline timeline, Client client, Path config, Load load) throws IOException {
        this.timeline = timeline;
        this.load = load;
        MicrometerObserver observer = new MicrometerObserver(metrics.registry());
        this.holdfast =
                new Side("holdfast", stopwatch, load, stock -> new HoldfastClient(stock, client, config, observer));
        this.bare = new Side("bare", stopwatch, load, BareClient::new);
    }

    /**
     * Lets both sides do business for a while that does not count, as services have before an incident: code is compiled,
     * connections are open, and every article has been asked for. Takes two seconds, and more on a machine that is too
     * busy to begin with.
     */
    void open() throws InterruptedException {
        for (int pass = 0; pass < LONGEST_OPENING; pass++) {
            forget();
            run(Timeline.healthy(OPENING), Arrival.throughAll(OPENING, load.perSecond()), second -> {});
            if (allIsLive(bare) && allIsLive(holdfast)) {
                break;
            }
        }
        forget();
    }

    private static boolean allIsLive(Side side) {
        return side.answers().sentBetween(0, OPENING.toNanos()).liveShare() == 1;
    }

    private void forget() {
        for (Side side : List.of(bare, holdfast)) {
            side.answers().clear();
            side.calls().clear();
        }
    }

    /** Plays it; see {@link Run#play}. */
    void play(IntConsumer eachSecond) throws InterruptedException {
        run(
                timeline,
                Arrival.poisson(Duration.ofNanos(timeline.endNanos()), load.perSecond(), load.seed()),
                eachSecond);
    }

    private void run(Timeline faults, List<Arrival> arrivals, IntConsumer eachSecond) throws InterruptedException {
        new Run(faults, arrivals, stopwatch, List.of(bare, holdfast)).play(eachSecond);
    }

    Timeline timeline() {
        return timeline;
    }

    Side bare() {
        return bare;
    }

    Side holdfast() {
        return holdfast;
    }

    MetricsPage metrics() {
        return metrics;
    }

    @Override
    public void close() {
        bare.close();
        holdfast.close();
        metrics.close();
    }
}
