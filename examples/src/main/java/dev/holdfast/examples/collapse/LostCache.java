/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;

/**
 * The example for caches in Bronson et al., HotOS 2021: nine of ten among 3,000 requests a second are answered from a look-aside
 * cache, the others from a database that can bear 300 queries a second; then the cache is lost. Only what the client
 * waited for is put into it.
 *
 * <p>The paper does not say which keys are asked for. Here it is 10,000 with Zipf's popularity (exponent 0.99, as in YCSB), kept
 * for 24 s, give or take a half: 9 % of the requests then miss, 270 a second.
 */
final class LostCache {
    static final Episode EPISODE = new Episode(30, 30, 90);
    static final double RATE = 3_000;
    static final double TIMEOUT = 1;

    private static final int KEYS = 10_000;

    private static final double SKEW = 0.99;
    private static final double KEPT = 24;

    private final World world;
    private final Client client;
    private final Random random;
    private final Ledger ledger = new Ledger(EPISODE.end());
    private final Database database;
    private final int keys;
    private final double rate;
    private final double[] popularity;
    private final double[] keptUntil;

    private LostCache(World world, Client client, long seed) {
        this.world = world;
        this.client = client;
        rate = RATE * world.variation().load();
        keys = (int) Math.ceil(KEYS * world.variation().load());
        popularity = new double[keys];
        keptUntil = new double[keys];
        database = new Database(world);
        // Of its own: all kinds of clients are asked for the same keys.
        random = new Random(seed * 31);
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            sum += Math.pow(i + 1, -SKEW);
            popularity[i] = sum;
        }
        warmUp();
    }

    /** As it is after a long time: a key is there in so many of all cases, and then of any age. */
    private void warmUp() {
        for (int i = 0; i < keys; i++) {
            double asked = KEPT * rate * (popularity[i] - (i == 0 ? 0 : popularity[i - 1])) / popularity[keys - 1];
            keptUntil[i] = random.nextDouble() < asked / (1 + asked) ? random.nextDouble() * life() : 0;
        }
    }

    static Client naive(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.upTo(1));
    }

    static Findings findings(long seed, Function<World, Client> holdfast) {
        return new Comparison()
                .add("naive", run(LostCache::naive, seed))
                .add("holdfast", run(holdfast, seed))
                .findings();
    }

    static Trial run(Function<World, Client> clients, long seed) {
        return run(clients, seed, Variation.NONE);
    }

    static Trial run(Function<World, Client> clients, long seed, Variation variation) {
        try (World world = new World(seed, variation)) {
            LostCache shop = new LostCache(world, clients.apply(world), seed);
            world.in(EPISODE.trigger(), () -> Arrays.fill(shop.keptUntil, 0));
            world.poisson(EPISODE.end(), now -> RATE * variation.load(), shop::request);
            world.run();
            return new Trial(EPISODE, shop.ledger);
        }
    }

    private void request() {
        double madeAt = world.now();
        int key = key();
        if (keptUntil[key] > madeAt) {
            ledger.hit(madeAt);
            return;
        }
        var unused = client.call(key, ledger.counting(world, database::query)).thenAccept(answer -> {
            ledger.ended(madeAt, answer);
            if (answer == Answer.LIVE) {
                keptUntil[key] = world.now() + life();
            }
        });
    }

    /** Not the same for all, so that what was put in together does not go together. */
    private double life() {
        return KEPT * (0.5 + world.random().nextDouble());
    }

    private int key() {
        int found = Arrays.binarySearch(popularity, random.nextDouble() * popularity[keys - 1]);
        return found < 0 ? -found - 1 : found;
    }
}
