/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.spi.CallObserver;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * A bare side, two of resilience4j, and one with Holdfast, with the same arrivals and the same faults at the same time. Each has a
 * stock service of its own. Ready to be played once.
 */
final class Lineup implements AutoCloseable {
    static final String BARE = "bare";
    static final String DOCUMENTED = "resilience4j as documented";
    static final String EARLY = "resilience4j, opens early";
    static final String HOLDFAST = "holdfast";

    private static final int LEAST_OPENING_SECONDS = 2;
    private static final int LONGEST_OPENING = 6;

    private final Stopwatch stopwatch = new Stopwatch();
    private final Timeline timeline;
    private final Load load;
    private final Team.Size size;
    private final Duration opening;
    private final List<Team> sides = new ArrayList<>();

    /**
     * Starts all services.
     *
     * @param config the pipelines of Holdfast, one set of them for each shop
     * @throws dev.holdfast.config.ConfigException if anything is wrong with the file
     */
    Lineup(Timeline timeline, Team.Size size, Client client, Path config, Load load) throws IOException {
        this.timeline = timeline;
        this.load = load;
        this.size = size;
        int rounds = (Arrival.SKUS * size.shops() + load.perSecond() - 1) / load.perSecond();
        this.opening = Duration.ofSeconds(Math.max(LEAST_OPENING_SECONDS, rounds));
        add(BARE, size, BareClient::new);
        add(DOCUMENTED, size, Resilience4jClient::asDocumented);
        add(EARLY, size, Resilience4jClient::opensEarly);
        add(HOLDFAST, size, stock -> new HoldfastClient(stock, client, config, new CallObserver() {}));
    }

    private void add(String name, Team.Size size, Function<Function<String, URI>, StockClient> client)
            throws IOException {
        sides.add(new Team(name, stopwatch, load, size, client));
    }

    /**
     * Lets all sides do business for a while that does not count, until all have live answers alone, or six times. Each shop is asked
     * for every article, because each has a cache of its own. A breaker that opens in it, because the machine was busy, is open
     * afterwards.
     */
    void open() throws InterruptedException {
        for (int pass = 0; pass < LONGEST_OPENING; pass++) {
            forget();
            run(Timeline.healthy(opening), Arrival.throughAll(opening, load.perSecond(), size.shops()), second -> {});
            if (sides.stream().allMatch(this::allIsLive)) {
                break;
            }
        }
        forget();
    }

    private boolean allIsLive(Team side) {
        return side.answers().sentBetween(0, opening.toNanos()).liveShare() == 1;
    }

    private void forget() {
        for (Team side : sides) {
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
        new Run(faults, arrivals, stopwatch, sides).play(eachSecond);
    }

    /** Holdfast is the last. */
    List<Team> sides() {
        return List.copyOf(sides);
    }

    @Override
    public void close() {
        sides.forEach(Team::close);
    }
}
