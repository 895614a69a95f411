/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.keyed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Logs(value = "further keys share one", sometimes = true)
class InstancesTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> gone = new ArrayList<>();
    private final AtomicInteger made = new AtomicInteger();
    private final List<String> closed = Collections.synchronizedList(new ArrayList<>());
    private int max = 10;

    @AfterEach
    void close() {
        time.close();
    }

    private static Policy remembering(long nanos) {
        return new Policy("own", 0) {
            @Override
            public long remembers() {
                if (nanos < 0) {
                    throw new IllegalStateException("broken");
                }
                return nanos;
            }
        };
    }

    /** Called while the instance of a key is made. */
    private Consumer<String> makes = key -> {};
    /** Called while an instance goes. */
    private Runnable goes = () -> {};
    /** Called when it has gone. */
    private Runnable retires = () -> {};

    /** Idle after a minute; all instances have these policies. */
    private Instances<String> instances(List<Policy> policies) {
        return instances("p", policies);
    }

    private Instances<String> instances(String name, List<Policy> policies) {
        return new Instances<>(name, time) {
            @Override
            public int max() {
                return max;
            }

            @Override
            protected long idleNanos() {
                return Duration.ofMinutes(1).toNanos();
            }

            @Override
            protected List<Policy> policies(String instance) {
                return policies;
            }

            @Override
            protected String make(String key, InUse counting) {
                makes.accept(key);
                return key + " " + made.incrementAndGet();
            }

            @Override
            protected void letGo(String instance) {
                gone.add(instance);
                goes.run();
            }

            @Override
            protected void retire(String instance) {
                retires.run();
            }

            @Override
            protected void close(String instance) {
                closed.add(instance);
            }
        };
    }

    @Test
    void anIdleInstanceIsKeptForAsLongAsItsPolicyRemembers() {
        String unused = instances(List.of(remembering(Duration.ofMinutes(10).toNanos())))
                .of("a");
        time.advance(Duration.ofMinutes(9));
        assertThat(gone).isEmpty();
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a 1");
    }

    @Test
    void anInstanceThatSomebodyAsksForWhileALookDecidesStays() {
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        AtomicReference<@Nullable String> got = new AtomicReference<>();
        Policy policy = new Policy("own", 0) {
            @Override
            public long remembers() {
                Instances<String> instances = asked.getAndSet(null);
                if (instances != null) {
                    got.set(instances.of("a"));
                }
                return 0;
            }
        };
        Instances<String> instances = instances(List.of(policy));
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(75));
        // The next look is the one that would let it go.
        asked.set(instances);
        time.advance(Duration.ofSeconds(15));
        assertThat(got).hasValue("a 1");
        assertThat(gone).isEmpty();
        assertThat(instances.of("a")).isEqualTo("a 1");
    }

    @Test
    void whoAsksForAnInstanceWhileItGoesGetsAnother() {
        Instances<String> instances = instances(List.of());
        CompletableFuture<String> got = new CompletableFuture<>();
        goes = () -> {
            Thread asking = new Thread(() -> got.complete(instances.of("a")));
            asking.start();
            while (!got.isDone() && asking.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        };
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(gone).containsExactly("a 1");
        assertThat(got.join()).isEqualTo("a 2");
        assertThat(instances.of("a")).isEqualTo("a 2");
    }

    @Test
    void anObserverThatAsksForAnInstanceWhileItGoesGetsAnother() {
        Instances<String> instances = instances(List.of());
        List<String> got = new ArrayList<>();
        goes = () -> got.add(instances.of("a"));
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(got).containsExactly("a 2");
        assertThat(instances.of("a")).isEqualTo("a 2");
        assertThat(instances.all()).containsExactly("a 2");
    }

    @Test
    @Logs("policy 'own' cannot say what it remembers")
    void aPolicyThatThrowsKeepsNothing() {
        String unused = instances(List.of(remembering(-1))).of("a");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a 1");
    }

    /** As Kotlin's code may. */
    private static <X extends Throwable> int sneaky(Throwable thrown) throws X {
        @SuppressWarnings("unchecked")
        X unchecked = (X) thrown;
        throw unchecked;
    }

    @Test
    @Logs("policy 'own' cannot say what it remembers")
    void aPolicyThatThrowsACheckedExceptionKeepsNothing() {
        Policy kotlins = new Policy("own", 0) {
            @Override
            public long remembers() {
                return InstancesTest.<RuntimeException>sneaky(new IOException("no state store"));
            }
        };
        String unused = instances(List.of(kotlins)).of("a");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("a 1");
    }

    /** What an observer waits for that needs a lock of this thread. */
    private static String waitForAFirstCall(Instances<String> instances, String key) {
        return got(asking(instances, key));
    }

    /** On a thread of its own, which has come back or waits. */
    private static CompletableFuture<String> asking(Instances<String> instances, String key) {
        CompletableFuture<String> got = new CompletableFuture<>();
        Thread asking = new Thread(() -> {
            try {
                got.complete(instances.of(key));
            } catch (Throwable refused) {
                got.completeExceptionally(refused);
            }
        });
        asking.setDaemon(true);
        asking.start();
        while (!got.isDone() && asking.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        return got;
    }

    private static String got(CompletableFuture<String> asked) {
        assertThat(asked).succeedsWithin(Duration.ofMinutes(1));
        return asked.join();
    }

    @Test
    void anObserverThatIsToldOfOneThatHasGoneMayWaitForAFirstCall() {
        Instances<String> instances = instances(List.of());
        retires = () -> {
            waitForAFirstCall(instances, "a");
            waitForAFirstCall(instances, "b");
        };
        assertThat(instances.of("a")).isEqualTo("a 1");
        time.advance(Duration.ofSeconds(90));
        assertThat(gone).containsExactly("a 1");
        assertThat(instances.all()).containsExactlyInAnyOrder("a 2", "b 3");
    }

    @Test
    void aPolicyThatIsAskedWhatItRemembersMayWaitForAFirstCall() {
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        Policy policy = new Policy("own", 0) {
            @Override
            public long remembers() {
                Instances<String> instances = asked.getAndSet(null);
                if (instances != null) {
                    waitForAFirstCall(instances, "b");
                }
                return 0;
            }
        };
        Instances<String> instances = instances(List.of(policy));
        assertThat(instances.of("a")).isEqualTo("a 1");
        asked.set(instances);
        time.advance(Duration.ofSeconds(90));
        assertThat(asked).hasNullValue();
        assertThat(gone).containsExactly("a 1");
        assertThat(instances.all()).containsExactly("b 2");
    }

    @Test
    void nobodyElseWaitsWhileAnInstanceIsMade() {
        max = 2;
        CountDownLatch goOn = new CountDownLatch(1);
        makes = key -> {
            if (key.equals("slow")) {
                await(goOn);
            }
        };
        Instances<String> instances = instances(List.of());
        CompletableFuture<String> slow = asking(instances, "slow");
        assertThat(waitForAFirstCall(instances, "b")).isEqualTo("b 1");
        // The one that is made has its place.
        assertThat(waitForAFirstCall(instances, "c")).isEqualTo("other 2");
        assertThat(waitForAFirstCall(instances, "d")).isEqualTo("other 2");
        assertThat(instances.all()).containsExactly("b 1", "other 2");
        time.advance(Duration.ofMinutes(2));
        assertThat(gone).containsExactly("b 1");
        assertThat(slow).isNotDone();

        instances.close();
        assertThat(closed).containsExactly("other 2");
        goOn.countDown();
        assertThat(got(slow)).isEqualTo("slow 3");
        assertThat(closed).containsExactly("other 2", "slow 3");
    }

    @Test
    void callersOfOneKeyWaitForTheOneThatMakesItsInstance() {
        CountDownLatch goOn = new CountDownLatch(1);
        makes = key -> await(goOn);
        Instances<String> instances = instances(List.of());
        CompletableFuture<String> first = asking(instances, "a");
        CompletableFuture<String> second = asking(instances, "a");
        assertThat(second).isNotDone();
        goOn.countDown();
        assertThat(got(first)).isEqualTo("a 1");
        assertThat(got(second)).isEqualTo("a 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "other"})
    void anInstanceThatCannotBeMadeHasNoPlaceAndFailsForAllWhoWaitForIt(String key) {
        max = 1;
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger tried = new AtomicInteger();
        IllegalStateException broken = new IllegalStateException("no registry");
        makes = any -> {
            await(goOn);
            tried.incrementAndGet();
            throw broken;
        };
        Instances<String> instances = instances(List.of());
        List<CompletableFuture<String>> asked =
                List.of(asking(instances, key), asking(instances, key), asking(instances, key));
        goOn.countDown();
        for (CompletableFuture<String> one : asked) {
            assertThat(one)
                    .failsWithin(Duration.ofMinutes(1))
                    .withThrowableThat()
                    .havingCause()
                    .isSameAs(broken);
        }
        assertThat(tried).hasValue(1);
        assertThatIllegalStateException().isThrownBy(() -> instances.of(key)).isSameAs(broken);
        assertThat(tried).hasValue(2);

        makes = any -> {};
        assertThat(instances.of("c")).isEqualTo("c 1");
        assertThat(instances.of("d")).isEqualTo("other 2");
    }

    /** Code that wraps the exception often does not set the flag again. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoWaitsForOneThatAnInterruptedThreadCouldNotMakeMakesIt(boolean flagIsSetAgain) {
        AtomicReference<@Nullable Thread> maker = new AtomicReference<>();
        makes = key -> {
            if (maker.compareAndSet(null, Thread.currentThread())) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    if (flagIsSetAgain) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IllegalStateException("cannot read the address", new IOException(e));
                }
            }
        };
        Instances<String> instances = instances(List.of());
        CompletableFuture<String> first = asking(instances, "a");
        CompletableFuture<String> second = asking(instances, "a");
        Objects.requireNonNull(maker.get()).interrupt();
        assertThat(first).failsWithin(Duration.ofMinutes(1));
        assertThat(got(second)).isEqualTo("a 1");
    }

    /** Each is made by a thread of its own, which asks for the next one when all are being made. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 10})
    void makingsThatAskForEachOthersInstancesFailAndALaterOneDoesNot(int size) {
        CountDownLatch begun = new CountDownLatch(size);
        List<Instances<String>> several = List.of(instances("p0", List.of()), instances("p1", List.of()));
        makes = key -> {
            begun.countDown();
            await(begun);
            int next = (Integer.parseInt(key) + 1) % size;
            String unused = several.get(next % 2).of("" + next);
        };
        List<CompletableFuture<String>> asked = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            asked.add(asking(several.get(i % 2), "" + i));
        }
        for (CompletableFuture<String> one : asked) {
            assertThat(one)
                    .failsWithin(Duration.ofMinutes(1))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(IllegalStateException.class)
                    .withMessageMatching("the instance '(p\\d/\\d)' is asked for by what is called while it is made: "
                            + "'\\1'( asks for 'p\\d/\\d'){" + (size - 1) + "} asks for '\\1'");
        }
        makes = key -> {};
        assertThat(several.get(0).of("0")).isEqualTo("0 1");
        assertThat(several.get(1).of("1")).isEqualTo("1 2");
    }

    @Test
    void whoHasMadeWhatAnotherMakingWaitsForMayWaitForThat() {
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        makes = key -> {
            if (key.equals("b")) {
                await(goOn);
            } else {
                String unused = Objects.requireNonNull(asked.get()).of("b");
            }
        };
        Instances<String> instances = instances(List.of());
        asked.set(instances);
        CompletableFuture<String> both = new CompletableFuture<>();
        Thread first = new Thread(() -> both.complete(instances.of("b") + ", " + instances.of("a")));
        first.setDaemon(true);
        first.start();
        while (first.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        CompletableFuture<String> second = asking(instances, "a");
        goOn.countDown();
        assertThat(got(both)).isEqualTo("b 1, a 2");
        assertThat(got(second)).isEqualTo("a 2");
    }

    @Test
    void namesOfKeysAreBoundedAndDiffer() {
        String long1 = "k".repeat(10) + "\uD83D\uDE00".repeat(90);
        assertThat(Instances.shown(long1, 100)).isEqualTo(long1);
        String cut = Instances.shown(long1 + "1", 100);
        assertThat(cut).matches("k{10}\\X{58}…[0-9a-f]{32}");
        assertThat(cut.codePoints()).hasSize(101);
        assertThat(Instances.shown(long1 + "1", 100)).isEqualTo(cut);
        assertThat(Instances.shown(long1 + "2", 100)).isNotEqualTo(cut);
        assertThat(Instances.shown(cut, 100)).isNotEqualTo(cut);
    }

    @Test
    void namesOfKeysThatLookAlikeDiffer() {
        String hidden = "\u200b".repeat(100);
        String longKey = "k".repeat(200);
        List<String> keys = List.of(
                "a\nb",
                "a\\nb",
                "a\\\\nb",
                "\u001b",
                "\\u001b",
                hidden,
                hidden + "\u200b",
                longKey + "\ud800",
                longKey + "\ud801",
                longKey + "?");
        assertThat(keys)
                .extracting(key -> Instances.shown(key, 100))
                .doesNotHaveDuplicates()
                .allSatisfy(name -> assertThat(name.length()).isLessThanOrEqualTo(101))
                .contains("a\\nb", "a\\\\nb");
    }

    @Test
    void aMakingThatAsksForTheSharedInstanceItIsOfHearsItsName() {
        max = 1;
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        makes = key -> {
            if (key.equals("other")) {
                String unused = Objects.requireNonNull(asked.get()).of("c");
            }
        };
        Instances<String> instances = instances(List.of());
        asked.set(instances);
        assertThat(instances.of("a")).isEqualTo("a 1");
        assertThatIllegalStateException()
                .isThrownBy(() -> instances.of("b"))
                .withMessageContaining("the instance 'p/other' is asked for");
    }

    @Test
    void whatMakesAnInstanceMayAskForAnotherOneButNotForItself() {
        AtomicReference<@Nullable Instances<String>> asked = new AtomicReference<>();
        makes = key -> {
            if (key.equals("a")) {
                Instances<String> instances = Objects.requireNonNull(asked.get());
                assertThat(instances.of("b")).isEqualTo("b 1");
                assertThatIllegalStateException()
                        .isThrownBy(() -> instances.of("a"))
                        .withMessageContaining("the instance 'p/a' is asked for");
            }
        };
        Instances<String> instances = instances(List.of());
        asked.set(instances);
        assertThat(instances.of("a")).isEqualTo("a 2");
        assertThat(instances.all()).containsExactlyInAnyOrder("a 2", "b 1");
    }

    @Test
    void thereAreNeverMoreThanTheBoundAndNeverTwoOfAKey() throws Exception {
        max = 5;
        Set<String> there = ConcurrentHashMap.newKeySet();
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        makes = key -> {
            if (!there.add(key) || there.size() > max + 1) {
                wrong.add(key + " beside " + there);
            }
        };
        goes = () -> {
            String last = gone.get(gone.size() - 1);
            there.remove(last.substring(0, last.indexOf(' ')));
        };
        Instances<String> instances = instances(List.of());
        List<Thread> threads = new ArrayList<>();
        AtomicInteger shared = new AtomicInteger();
        for (int t = 0; t < 6; t++) {
            Random random = new Random(t);
            threads.add(new Thread(() -> {
                for (int i = 0; i < 20_000; i++) {
                    String key = "k" + random.nextInt(8);
                    String instance = instances.of(key);
                    if (instance.startsWith("other ")) {
                        shared.incrementAndGet();
                    } else if (!instance.startsWith(key + " ")) {
                        wrong.add(key + " got " + instance);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        while (threads.stream().anyMatch(Thread::isAlive)) {
            time.advance(Duration.ofSeconds(31));
        }
        assertThat(wrong).isEmpty();
        assertThat(shared).hasPositiveValue();
        time.advance(Duration.ofMinutes(2));
        assertThat(instances.all()).singleElement().asString().startsWith("other ");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
