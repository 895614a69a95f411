/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.function.Function;

/**
 * The example for retries in Bronson et al., Metastable Failures in Distributed Systems, HotOS 2021: a database at 280 of 300
 * queries a second, a client that tries once more after a second, and a network that is away for ten seconds. What was
 * sent in these arrives when it is back.
 */
final class LostNetwork {
    static final Episode EPISODE = new Episode(20, 30, 90);
    static final double RATE = 280;
    static final double TIMEOUT = 1;

    private LostNetwork() {}

    static Client naive(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.upTo(2));
    }

    /** With the usual budget that is a share of the calls: a fifth, of ten seconds at most. */
    static Client requestFunded(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.requestFunded(0.2, 0.2 * RATE * 10, 2));
    }

    /** Nobody asks twice, and yet all that was asked meanwhile has to be worked off, for nobody. */
    static Client once(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.upTo(1));
    }

    static Findings findings(long seed, Function<World, Client> holdfast) {
        return new Comparison()
                .add("naive", run(LostNetwork::naive, seed))
                .add("budget of calls", run(LostNetwork::requestFunded, seed))
                .add("no retry", run(LostNetwork::once, seed))
                .add("holdfast", run(holdfast, seed))
                .findings();
    }

    static Trial run(Function<World, Client> clients, long seed) {
        return run(clients, seed, Variation.NONE);
    }

    static Trial run(Function<World, Client> clients, long seed, Variation variation) {
        try (World world = new World(seed, variation)) {
            Database database = new Database(world);
            world.in(EPISODE.trigger(), database::disconnect);
            world.in(EPISODE.relief(), database::reconnect);
            return EPISODE.play(world, now -> RATE * variation.load(), clients.apply(world), database::query);
        }
    }
}
