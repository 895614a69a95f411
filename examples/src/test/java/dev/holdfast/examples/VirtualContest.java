/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.Operation;
import dev.holdfast.Reply;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The {@link Contest} in virtual time: the same pipelines, load, faults and books, and a stock service and two shops that
 * are modelled. What comes of it depends on the policies and the seed, and on no machine.
 */
final class VirtualContest implements AutoCloseable {
    static final Path CONFIG = Path.of("src/main/resources/holdfast.yaml");
    private static final Duration OPENING = Duration.ofSeconds(2);

    private final VirtualTime time;
    private final Timeline timeline;
    private final Load load;
    private final Holdfast pipelines;
    final VirtualSide bare;
    final VirtualSide holdfast;

    VirtualContest(Timeline timeline, Load load, CallObserver observer) {
        this(timeline, load, observer, CONFIG);
    }

    VirtualContest(Timeline timeline, Load load, CallObserver observer, Path config) {
        this(timeline, load, observer, config, Stock.WORKERS);
    }

    VirtualContest(Timeline timeline, Load load, CallObserver observer, Path config, int workers) {
        this.timeline = timeline;
        this.load = load;
        time = VirtualTime.seeded(load.seed());
        pipelines = Holdfast.builder().observer(observer).time(time).load(config);
        holdfast = new VirtualSide(time, load, workers, this::behindThePipeline);
        bare = new VirtualSide(time, load, workers, stock -> VirtualSide.bare(time, stock));
    }

    /** As {@link HoldfastClient}. */
    private VirtualSide.Client behindThePipeline(VirtualStock stock) {
        Operation<HttpResponse<String>> lookup =
                pipelines.pipeline("stock").operation("lookup", o -> o.classifier(HttpClassifier.ofDefaults()));
        return sku -> {
            Reply<HttpResponse<String>> reply =
                    lookup.key(sku).reply(attempt -> VirtualSide.await(time, stock.get(sku), Long.MAX_VALUE));
            if (reply.value().statusCode() != 200) {
                throw new IOException("stock answered " + reply.value().statusCode());
            }
            return new StockClient.Answer(reply.value().body(), reply.source().name());
        };
    }

    /** Both sides do business for a moment that does not count. */
    void open() {
        play(Timeline.healthy(OPENING), Arrival.throughAll(OPENING, load.perSecond()));
    }

    void play() {
        play(timeline, Arrival.poisson(Duration.ofNanos(timeline.endNanos()), load.perSecond(), load.seed()));
    }

    private void play(Timeline faults, List<Arrival> arrivals) {
        holdfast.plan(faults, arrivals);
        bare.plan(faults, arrivals);
        time.run();
    }

    List<Claims.Claim> claims() {
        return new Claims(timeline, bare, holdfast).check();
    }

    @Override
    public void close() {
        pipelines.close();
        time.close();
    }
}
