/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.netty.channel.DefaultEventLoop;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Lettuce says to a server. Two processes and one server: {@code examples/valkey}. */
@Logs(value = "unable to send", sometimes = true) // the imitation, when it ends
class ValkeyStoreTest {
    private static final long SECOND = 1_000_000_000;
    private static final long DAY = Duration.ofDays(1).toNanos();

    private record Taken(long permits, long nanosUntilNext) {}

    static List<Server.Kind> kinds() {
        return Server.kinds();
    }

    private static ValkeyStore connect(Server server) {
        // A slow machine's first command may take seconds.
        return ValkeyStore.connect(RedisURI.create("127.0.0.1", server.port), Duration.ofMinutes(5));
    }

    /** 20 a day: none comes back while the test runs. */
    private static PermitStore permits(ValkeyStore store, String key) {
        return store.permits(SharedThrottleSettings.of(
                s -> s.key(key).limit(20).per(Duration.ofDays(1)).burst(20).replicas(2)));
    }

    private static CompletableFuture<Taken> take(PermitStore permits, long most) {
        CompletableFuture<Taken> answer = new CompletableFuture<>();
        permits.take(most, new PermitStore.Answer() {
            @Override
            public void taken(long taken, long nanosUntilNext) {
                answer.complete(new Taken(taken, nanosUntilNext));
            }

            @Override
            public void failed(Throwable why) {
                answer.completeExceptionally(why);
            }
        });
        return answer;
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void twoProcessesTakeFromOneLimit(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server)) {
            assertThat(take(permits(one, "a"), 5).get()).isEqualTo(new Taken(5, 0));
            assertThat(take(permits(other, "a"), 20).get().permits()).isEqualTo(15);
            Taken none = take(permits(one, "a"), 20).get();
            assertThat(none.permits()).isZero();
            assertThat(none.nanosUntilNext()).isBetween(1L, DAY / 20);
            assertThat(take(permits(one, "b"), 20).get().permits()).isEqualTo(20);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void questionsAtTheSameTimeTakeNoPermitTwice(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server)) {
            List<CompletableFuture<Taken>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                answers.add(take(permits(i % 2 == 0 ? one : other, "a"), 1));
            }
            long taken = 0;
            for (CompletableFuture<Taken> answer : answers) {
                taken += answer.get().permits();
            }
            assertThat(taken).isEqualTo(20);
        }
    }

    /** Else the next question would come up to a second later: a process would be back that much later than others. */
    @ParameterizedTest
    @MethodSource("kinds")
    void aServerThatIsGoneIsAFailureAndTheFirstQuestionAfterItsReturnIsAnswered(Server.Kind kind) throws Exception {
        Server server = Server.start(kind);
        try (ValkeyStore store = connect(server)) {
            PermitStore permits = permits(store, "a");
            assertThat(take(permits, 5).get().permits()).isEqualTo(5);
            server.close();
            assertThatThrownBy(() -> take(permits, 5).get()).isInstanceOf(ExecutionException.class);
            assertThatThrownBy(() -> take(permits, 5).get()).isInstanceOf(ExecutionException.class);

            try (Server again = Server.start(kind, server.port)) {
                assertThat(again.port).isEqualTo(server.port);
                assertThat(take(permits, 20).get().permits()).isEqualTo(20);
            }
        }
    }

    @Test
    void theQuestionAfterThreeErrorsGetsItsAnswerOnAnotherConnection() throws Exception {
        try (Server.Imitation server = new Server.Imitation();
                ValkeyStore store = connect(server)) {
            PermitStore permits = permits(store, "a");
            assertThat(take(permits, 1).get().permits()).isEqualTo(1);
            server.refusePresentConnections();
            for (int error = 0; error < 3; error++) {
                assertThatThrownBy(() -> take(permits, 1).get()).isInstanceOf(ExecutionException.class);
            }
            assertThat(take(permits, 1).get().permits()).isEqualTo(1);
        }
    }

    @Test
    void aRefusedLoginIsNamed() throws Exception {
        try (Server.Imitation server = new Server.Imitation()) {
            server.refuseLogins();
            try (ValkeyStore store = ValkeyStore.connect("redis://me:secret@127.0.0.1:" + server.port)) {
                assertThatThrownBy(() -> take(permits(store, "a"), 1).get())
                        .hasRootCauseMessage("there is no connection to 127.0.0.1:" + server.port
                                + ": WRONGPASS invalid username-password pair or user is disabled.");
            }
        }
    }

    /** As if so much time had passed on the server's clock. The test's own time counts nothing, since a permit takes an hour. */
    private static void pass(Server server, long nanos) {
        try (RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port);
                StatefulRedisConnection<String, String> connection = client.connect()) {
            for (String bucket : connection.sync().keys("holdfast:throttle:*")) {
                String[] words = connection.sync().get(bucket).split(" ", -1);
                long micros = Long.parseLong(words[1]) * 1_000_000 + Long.parseLong(words[2]) - nanos / 1_000;
                connection.sync().set(bucket, words[0] + " " + micros / 1_000_000 + " " + micros % 1_000_000);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void permitsComeWithTheServersTime(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server)) {
            assertThat(take(permits(other, "a"), 20).get().permits()).isEqualTo(20);
            assertThat(take(permits(one, "a"), 20).get().permits()).isZero();
            pass(server, DAY / 2 + DAY / 80);
            Taken half = take(permits(one, "a"), 20).get();
            assertThat(half.permits()).isEqualTo(10);
            // A quarter of the next one is there.
            assertThat(half.nanosUntilNext()).isBetween(DAY / 20 / 2, DAY / 20 * 3 / 4);
            assertThat(take(permits(other, "a"), 20).get().permits()).isZero();
            pass(server, DAY / 4);
            assertThat(take(permits(other, "a"), 20).get().permits()).isEqualTo(5);
            pass(server, 3 * DAY);
            assertThat(take(permits(other, "a"), 100).get().permits()).isEqualTo(20);
        }
    }

    /** A permit that is there in part is kept: asking often makes the limit no lower. */
    @ParameterizedTest
    @MethodSource("kinds")
    void questionsBetweenTwoPermitsLoseNothing(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore store = connect(server)) {
            PermitStore permits = permits(store, "a");
            assertThat(take(permits, 20).get().permits()).isEqualTo(20);
            long taken = 0;
            for (int i = 0; i < 45; i++) {
                pass(server, DAY / 200);
                taken += take(permits, 5).get().permits();
            }
            assertThat(taken).as("of 4.5").isEqualTo(4);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aServerWhoseClockGoesBackGivesPermitsOn(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server)) {
            assertThat(take(permits(one, "a"), 20).get().permits()).isEqualTo(20);
            pass(server, -10 * DAY);
            assertThat(take(permits(one, "a"), 20).get().permits()).isZero();
            assertThat(take(permits(other, "a"), 20).get().permits()).isZero();
            pass(server, DAY / 2 + DAY / 80);
            assertThat(take(permits(one, "a"), 20).get().permits()).isEqualTo(10);
        }
    }

    /** A day is a whole burst. */
    @ParameterizedTest
    @MethodSource("kinds")
    void aServerWhoseClockJumpsForwardGivesOneBurst(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server)) {
            assertThat(take(permits(one, "a"), 20).get().permits()).isEqualTo(20);
            pass(server, 1_000 * DAY);
            assertThat(take(permits(one, "a"), 20).get().permits()).isEqualTo(20);
            for (int i = 0; i < 3; i++) {
                assertThat(take(permits(other, "a"), 20).get().permits()).isZero();
            }
        }
    }

    /** The finest limit that there is, and the coarsest. */
    @ParameterizedTest
    @MethodSource("kinds")
    void limitsAtTheEndsOfTheirRangesGiveTheirPermits(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore store = connect(server)) {
            PermitStore most = store.permits(SharedThrottleSettings.of(
                    s -> s.key("a").limit(1_000_000_000).burst(1_000_000_000).replicas(1)));
            assertThat(take(most, 1_000_000_000).get().permits()).isEqualTo(1_000_000_000);
            pass(server, SECOND);
            assertThat(take(most, 500_000_000).get()).isEqualTo(new Taken(500_000_000, 0));
            PermitStore least = store.permits(SharedThrottleSettings.of(
                    s -> s.key("b").limit(1).per(Duration.ofDays(1)).burst(1).replicas(1)));
            assertThat(take(least, 1).get().permits()).isEqualTo(1);
            assertThat(take(least, 1).get().nanosUntilNext()).isBetween(DAY - DAY / 24, DAY);
            pass(server, 2 * DAY);
            assertThat(take(least, 1).get()).isEqualTo(new Taken(1, DAY));
        }
    }

    /** With a compare-and-set, those of other processes would make it lose, again and again, until the store counts as away. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("realOnes")
    void aQuestionIsOneCommandWhoeverElseAsks(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server);
                ValkeyStore other = connect(server);
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port);
                StatefulRedisConnection<String, String> connection = client.connect()) {
            List<CompletableFuture<Taken>> answers = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                answers.add(take(permits(i % 2 == 0 ? one : other, "a"), 1));
            }
            for (CompletableFuture<Taken> answer : answers) {
                answer.get();
            }
            assertThat(connection.sync().info("commandstats")).contains("cmdstat_eval:calls=1000,");
        }
    }

    /** Asks until there is an answer: a question without a connection makes one. Ends with the test's time at the latest. */
    private static Taken firstAnswer(PermitStore permits) throws InterruptedException {
        while (true) {
            try {
                return take(permits, 1).get();
            } catch (ExecutionException notYet) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aServerThatIsNotThereAtFirstIsAFailureOfTheQuestionOnly() throws Exception {
        Server server = Server.start(Server.Kind.IMITATION);
        server.close();
        try (ValkeyStore store = connect(server)) {
            assertThatThrownBy(() -> take(permits(store, "a"), 5).get())
                    .rootCause()
                    .hasMessageStartingWith("there is no connection to 127.0.0.1:" + server.port + ": ")
                    .hasMessageEndingWith("Connection refused");
            try (Server again = Server.start(Server.Kind.IMITATION, server.port)) {
                assertThat(again.port).isEqualTo(server.port);
                assertThat(firstAnswer(permits(store, "a")).permits()).isEqualTo(1);
            }
        }
    }

    /** The server may have moved, and its old address may answer no packet. */
    @Test
    void aConnectionWithoutAnAnswerIsDroppedAndAnotherOneIsMade() throws Exception {
        try (Server.Imitation server = new Server.Imitation();
                ValkeyStore store =
                        ValkeyStore.connect(RedisURI.create("127.0.0.1", server.port), Duration.ofMillis(500))) {
            PermitStore permits = permits(store, "a");
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
            server.standStill();
            assertThatThrownBy(() -> take(permits, 1).get()).isInstanceOf(ExecutionException.class);
            server.goOn();
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
        }
    }

    /** One may count as open and take no commands: then it would be away for ever. */
    @Test
    void aConnectionWhoseCommandsFailIsDroppedAndAnotherOneIsMade() throws Exception {
        try (Server.Imitation server = new Server.Imitation();
                ValkeyStore store = connect(server)) {
            PermitStore permits = permits(store, "a");
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
            server.refusePresentConnections();
            assertThatThrownBy(() -> take(permits, 1).get()).isInstanceOf(ExecutionException.class);
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
        }
    }

    @Test
    void anErrorOfTheServerForOneKeyTakesTheConnectionFromNobody() throws Exception {
        try (Server.Imitation server = new Server.Imitation();
                ValkeyStore store = connect(server)) {
            PermitStore permits = permits(store, "a");
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
            server.refuseReplicas();
            for (int name = 0; name < 10; name++) {
                assertThat(store.replicas("shop " + name, 4).getAsInt()).isEqualTo(4);
            }
            assertThat(take(permits, 1).get().permits()).isEqualTo(1);
        }
    }

    /** As in a rolling upgrade, of a version that writes what this one cannot read. */
    @ParameterizedTest
    @MethodSource("kinds")
    void aBucketThatCannotBeReadTakesTheConnectionFromNobody(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore store = connect(server);
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port);
                StatefulRedisConnection<String, String> connection = client.connect()) {
            PermitStore ill = permits(store, "ill");
            PermitStore well = permits(store, "well");
            assertThat(firstAnswer(ill).permits()).isEqualTo(1);
            for (String bucket : connection.sync().keys("*:ill:*")) {
                connection.sync().set(bucket, "nothing that anybody knows");
            }
            List<CompletableFuture<Taken>> answers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                CompletableFuture<Taken> unreadable = take(ill, 1);
                answers.add(take(well, 1));
                assertThatThrownBy(unreadable::get).isInstanceOf(ExecutionException.class);
            }
            for (CompletableFuture<Taken> answer : answers) {
                assertThat(answer.get().permits()).isEqualTo(1);
            }
        }
    }

    /** Somebody else has written it. A number of permits below zero would be taken for permits that this process has. */
    @ParameterizedTest
    @MethodSource("kinds")
    void aBucketThatHoldsNoNumberOfPermitsIsRefused(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore store = connect(server);
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port);
                StatefulRedisConnection<String, String> connection = client.connect()) {
            PermitStore permits = permits(store, "a");
            assertThat(firstAnswer(permits).permits()).isEqualTo(1);
            String bucket = connection.sync().keys("holdfast:throttle:*").get(0);
            for (String had : List.of("-1", "-1e300", "20.1", "1e400", "nan", "-inf", "x")) {
                connection.sync().set(bucket, had + " 1700000000 0");
                assertThatThrownBy(() -> take(permits, 1).get())
                        .as(had)
                        .hasMessageContaining("WRONGTYPE " + bucket + " holds something else than permits");
            }
            connection.sync().del(bucket);
            assertThat(take(permits, 20).get().permits()).isEqualTo(20);
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("realOnes")
    void aRightThatTheScriptLacksTakesTheConnectionFromNobody(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind)) {
            allow(server, "ACL", "SETUSER", "shop", "on", ">secret", "~*", "+@all", "-get");
            try (ValkeyStore store = ValkeyStore.connect("redis://shop:secret@127.0.0.1:" + server.port)) {
                Connector.Link before = store.connector.usable();
                for (int i = 0; i < 10; i++) {
                    assertThatThrownBy(() -> take(permits(store, "a"), 1).get()).hasMessageContaining("'get'");
                }
                assertThat(store.connector.usable()).isNotNull().isSameAs(before);
            }
        }
    }

    @Test
    void aQuestionThatIsOpenWhenTheStoreIsClosedFails() throws Exception {
        try (Server.Imitation server = new Server.Imitation()) {
            CompletableFuture<Taken> open;
            try (ValkeyStore store = connect(server)) {
                server.standStill();
                open = take(permits(store, "a"), 1);
            }
            assertThatThrownBy(open::get).hasRootCauseMessage("store at 127.0.0.1:" + server.port + " is closed");
        }
    }

    /** Its threads may have ended before the question, which needs one to look for the answer. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void observersHearThatThisProcessHasClosedTheStore(boolean threadsHaveEnded) throws Exception {
        List<String> causes = new ArrayList<>();
        try (Server.Imitation server = new Server.Imitation()) {
            ValkeyStore store = connect(server);
            SharedThrottlePolicy throttle = SharedThrottlePolicy.of(
                    store, s -> s.key("a").limit(20).burst(20).replicas(1));
            store.close();
            if (threadsHaveEnded) {
                DefaultEventLoop ended = new DefaultEventLoop();
                ended.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
                store.connector.reader = ended;
            }
            Pipeline pipeline = Pipeline.builder("inventory")
                    .policies(throttle)
                    .observer(new CallObserver() {
                        @Override
                        public void stateChanged(String of, String policy, String from, String to, String cause) {
                            causes.add(cause);
                        }
                    })
                    .build();
            assertThat(pipeline.call(() -> "done")).isEqualTo("done");

            assertThat(causes)
                    .singleElement()
                    .asString()
                    .isEqualTo("the store at 127.0.0.1:" + server.port
                            + " failed: java.lang.IllegalStateException: store at 127.0.0.1:" + server.port
                            + " is closed");
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aPipelineUsesTheStoreAndGoesOnWithoutIt(Server.Kind kind) throws Exception {
        SharedThrottlePolicy throttle;
        try (Server server = Server.start(kind);
                ValkeyStore store = connect(server)) {
            throttle = SharedThrottlePolicy.of(
                    store,
                    s -> s.key("a")
                            .limit(1_000)
                            .burst(1_000)
                            .replicas(1)
                            .storeTimeout(Duration.ofSeconds(10))
                            .maxWait(Duration.ofMinutes(10)));
            assertAllStart(Pipeline.of("with", throttle));
            assertThat(throttle.storeIsAway()).isFalse();
            assertThat(throttle.withoutStore()).isZero();
        }
        assertAllStart(Pipeline.of("without", throttle));
        assertThat(throttle.storeIsAway()).isTrue();
    }

    private static void assertAllStart(Pipeline pipeline) {
        for (int i = 0; i < 200; i++) {
            assertThat(pipeline.call(() -> "done")).isEqualTo("done");
        }
    }

    /** The imitation knows no script's time. */
    static List<Server.Kind> realOnes() {
        return Server.kinds().stream().filter(kind -> kind == Server.Kind.REAL).toList();
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("realOnes")
    void processesThatAnnounceThemselvesAreCountedUntilTheyClose(Server.Kind kind) throws Exception {
        try (Server server = Server.start(kind);
                ValkeyStore one = connect(server)) {
            IntSupplier alone = one.replicas("inventory");
            assertThat(alone.getAsInt()).isEqualTo(1);
            assertThat(one.replicas("inventory")).isSameAs(alone);
            try (ValkeyStore other = connect(server)) {
                assertThat(other.replicas("inventory").getAsInt()).isEqualTo(2);
                assertThat(other.replicas("prices", 40).getAsInt()).isEqualTo(40);
                SharedThrottlePolicy throttle =
                        SharedThrottlePolicy.of(other, s -> s.key("inventory").limit(200));
                assertThat(throttle.settings().replicas()).isEqualTo(2);
            }
            try (ValkeyStore third = connect(server)) {
                assertThat(third.replicas("inventory").getAsInt()).isEqualTo(2);
            }
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("realOnes")
    void rightsOnThePageAreEnough(Server.Kind kind) throws Exception {
        String rights = Files.readAllLines(Path.of("../../docs/many-machines.md")).stream()
                .filter(line -> line.startsWith("ACL SETUSER "))
                .findFirst()
                .orElseThrow();
        try (Server server = Server.start(kind)) {
            allow(server, rights.split(" "));
            String uri = "redis://shop:secret@127.0.0.1:" + server.port;
            try (ValkeyStore store = ValkeyStore.connect(uri)) {
                assertThat(take(permits(store, "a"), 5).get()).isEqualTo(new Taken(5, 0));
                assertThat(take(permits(store, "a"), 20).get().permits()).isEqualTo(15);
                assertThat(store.replicas("inventory").getAsInt()).isEqualTo(1);
                try (ValkeyStore leaves = ValkeyStore.connect(uri)) {
                    assertThat(leaves.replicas("inventory").getAsInt()).isEqualTo(2);
                }
                try (ValkeyStore comes = ValkeyStore.connect(uri)) {
                    assertThat(comes.replicas("inventory").getAsInt())
                            .as("the one that has left took itself off the list")
                            .isEqualTo(2);
                }
            }
        }
    }

    private static void allow(Server server, String... command) {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", server.port));
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            CommandArgs<String, String> rights = new CommandArgs<>(StringCodec.UTF8);
            Stream.of(command).skip(1).forEach(rights::add);
            connection.sync().dispatch(CommandType.ACL, new StatusOutput<>(StringCodec.UTF8), rights);
        } finally {
            client.shutdown();
        }
    }

    @Test
    void withoutAServerTheNumberIsThatOfTheStart() throws Exception {
        Server server = Server.start(Server.Kind.IMITATION);
        server.close();
        try (ValkeyStore store = connect(server)) {
            assertThat(store.replicas("inventory").getAsInt()).isEqualTo(1);
            assertThat(store.replicas("prices", 40).getAsInt()).isEqualTo(40);
            assertThatThrownBy(() -> store.replicas(" ")).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> store.replicas("a", 0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** A shared throttle without a number gives 1, and may be made before what has one. */
    @Test
    void ofSeveralNumbersOfTheStartTheGreatestHoldsInAnyOrder() throws Exception {
        Server server = Server.start(Server.Kind.IMITATION);
        server.close();
        try (ValkeyStore store = connect(server)) {
            SharedThrottlePolicy throttle =
                    SharedThrottlePolicy.of(store, s -> s.key("partner").limit(200));
            assertThat(store.replicas("partner", 10).getAsInt()).isEqualTo(10);
            assertThat(throttle.settings().replicas()).isEqualTo(10);
            assertThat(store.replicas("partner", 4).getAsInt()).isEqualTo(10);
            assertThat(store.replicas("partner").getAsInt()).isEqualTo(10);
        }
    }

    /** Its threads end, and may do so while a number is asked for. */
    @Test
    void aStoreThatIsClosedMeanwhileHasTheNumberOfTheStart() throws Exception {
        DefaultEventLoop ended = new DefaultEventLoop();
        ended.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
        try (Server.Imitation server = new Server.Imitation();
                ValkeyStore store = connect(server)) {
            store.connector.reader = ended;
            assertThat(store.replicas("inventory", 4).getAsInt()).isEqualTo(4);
        }
    }

    @Test
    void whatIsNoUriIsRefused() {
        assertNoUri("valkey", "valkey");
        assertNoUri("valkey.example:6379", "valkey.example:6379");
        assertNoUri("valkey://me:secret@valkey.example", "valkey.example");
        assertNoUri("redis://127.0.0.1:x", "redis://127.0.0.1:x");
        assertNoUri("redis://:secret@127.0.0.1:x", "127.0.0.1:x");
        assertNoUri("redis://127.0.0.1:0", "redis://127.0.0.1:0");
        assertNoUri("redis://:secret@127.0.0.1:0/1", "127.0.0.1:0/1");
        assertNoUri("redis://:secret@::1:7412", "::1:7412");
    }

    /** Lettuce takes what is before it for the host, which is in messages. */
    @ParameterizedTest
    @ValueSource(
            strings = {":secret#x", "me:secret?x", "me:1234/5", "secret#x", "me:7412#x", "me:sec,ret#x", "me:se@cret"})
    void aUriWhoseHostEndsInThePasswordIsRefusedWithoutIt(String password) {
        assertNoUri("redis://" + password + "@127.0.0.1:7412", "127.0.0.1:7412");
    }

    @Test
    void aUriOfLettuceWhoseHostIsNoneIsRefusedWithoutIt() {
        assertThatThrownBy(() -> ValkeyStore.connect(RedisURI.create("redis://:secret#x@127.0.0.1:7412")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the URI of the store names no server but must name one server: redis://host:port, or"
                        + " rediss://host:port with TLS");
    }

    @ParameterizedTest
    @ValueSource(strings = {"redis://[::1]:PORT", "redis://me:s%23%40@localhost:PORT/1"})
    void aUriMayHaveAnAddressInBracketsAndAnEscapedPassword(String uri) throws Exception {
        Server server = Server.start(Server.Kind.IMITATION);
        server.close();
        try (ValkeyStore store = ValkeyStore.connect(uri.replace("PORT", "" + server.port))) {
            assertThat(store.toString()).endsWith(":" + server.port);
        }
    }

    @Test
    void whatIsNotOneServerIsRefused() {
        assertNotOne("redis-sentinel://127.0.0.1:26379#mymaster", "a sentinel");
        assertNotOne("redis-sentinel://:secret@127.0.0.1:26379,127.0.0.2#mymaster", "a sentinel");
        assertNotOne("redis-socket:///run/valkey.sock", "a socket of Unix");
        assertNotOne("redis://127.0.0.1:6379,127.0.0.2:6379", "several servers");
        assertThatThrownBy(() -> ValkeyStore.connect(new RedisURI())).hasMessageContaining("names no server");
    }

    private static void assertNotOne(String uri, String named) {
        assertThatThrownBy(() -> ValkeyStore.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the URI of the store names " + named
                        + " but must name one server: redis://host:port, or rediss://host:port with TLS");
    }

    private static void assertNoUri(String uri, String shown) {
        assertThatThrownBy(() -> ValkeyStore.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the URI of the store is '" + shown
                        + "' but must be redis://host:port, or rediss://host:port with TLS");
    }

    @Test
    void aStoreIsMadeAndClosedByAnInterruptedThreadThatStaysSo() throws Exception {
        try (Server.Imitation server = new Server.Imitation()) {
            Thread.currentThread().interrupt();
            ValkeyStore store = connect(server);
            assertThat(Thread.interrupted()).as("after connect").isTrue();

            Thread.currentThread().interrupt();
            store.close();
            assertThat(Thread.interrupted()).as("after close").isTrue();
            assertThat(store.connector
                            .resources
                            .eventExecutorGroup()
                            .terminationFuture()
                            .get(30, TimeUnit.SECONDS))
                    .as("the threads end")
                    .isNull();
        }
    }

    @Test
    void aStoreThatThisProcessHasClosedSaysSo() throws Exception {
        try (Server.Imitation server = new Server.Imitation()) {
            ValkeyStore store = connect(server);
            PermitStore permits = permits(store, "a");
            store.close();

            assertThatThrownBy(() -> take(permits, 5).get())
                    .hasRootCauseMessage("store at 127.0.0.1:" + server.port + " is closed");
        }
    }
}
