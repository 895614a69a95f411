/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Marc Brooker's simple collapse simulation: a service that gets slower the more requests it has, and five seconds of twice
 * the usual load.
 *
 * <p>Every value is from <a href="https://github.com/mbrooker/simulator_example">simple_collapse_sim/sim.py</a>.
 */
final class RetryCollapse {
    static final Episode EPISODE = new Episode(20, 25, 80);
    static final double USUAL_RATE = 40;
    static final double SPIKE_RATE = 80;
    static final double TIMEOUT = 3;
    static final int TRIES = 3;

    private static final double SERVICE_TIME = 1;
    private static final double EACH_IN_FLIGHT = 0.01;
    private static final double NETWORK = 0.1;

    private final World world;
    private final Variation variation;
    private final int[] inFlight;

    private RetryCollapse(World world) {
        this.world = world;
        variation = world.variation();
        inFlight = new int[variation.servers()];
    }

    static Client naive(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.upTo(TRIES));
    }

    /** The waits are drawn up to 20 s, then up to 40 s. */
    static Client backingOff(World world) {
        return new NaiveClient(
                world, TIMEOUT, Retries.upTo(TRIES), tries -> world.random().nextDouble() * 10 * Math.pow(2, tries));
    }

    static Findings findings(long seed, Function<World, Client> holdfast) {
        return new Comparison()
                .add("naive", run(RetryCollapse::naive, seed))
                .add("backing off", run(RetryCollapse::backingOff, seed))
                .add("holdfast", run(holdfast, seed))
                .findings();
    }

    static Trial run(Function<World, Client> clients, long seed) {
        return run(clients, seed, Variation.NONE);
    }

    static Trial run(Function<World, Client> clients, long seed, Variation variation) {
        try (World world = new World(seed, variation)) {
            RetryCollapse service = new RetryCollapse(world);
            return EPISODE.play(
                    world,
                    now -> (EPISODE.isTriggered(now) ? SPIKE_RATE : USUAL_RATE) * variation.load(),
                    clients.apply(world),
                    until -> service.ask());
        }
    }

    private CompletableFuture<String> ask() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        world.in(world.exponential(NETWORK), () -> serve(answer));
        return answer;
    }

    private void serve(CompletableFuture<String> answer) {
        int server = inFlight.length == 1 ? 0 : world.random().nextInt(inFlight.length);
        double each = EACH_IN_FLIGHT * inFlight.length / variation.load();
        inFlight[server]++;
        world.in(variation.times() * (SERVICE_TIME + each * inFlight[server]), () -> {
            inFlight[server]--;
            world.in(world.exponential(NETWORK), () -> answer.complete("done"));
        });
    }
}
