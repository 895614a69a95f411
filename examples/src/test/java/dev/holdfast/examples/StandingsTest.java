/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallObserver;
import dev.holdfast.testlogs.Logs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

@Logs(value = "pipeline 'stock': ", sometimes = true)
class StandingsTest {
    private static final Path CONFIG = Path.of("src/main/resources/lineup.yaml");
    private static final Timeline HANGS = Timeline.hangs(Duration.ofSeconds(40));
    private static final int WORKERS = 16;
    /** One seed has between 70 and 94 %. */
    private static final int SEEDS = 20;

    private final Map<String, Books> sides = new LinkedHashMap<>();

    /** The incident of {@code examples/run --hang}, in virtual time and without resilience4j, which has clocks of its own. */
    @Test
    void afterHangsThereAreFourFifthsLiveAnswersAndInThemNoneIsMissing() {
        double share = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try (VirtualContest contest = played(seed)) {
                sides.clear();
                sides.put(Lineup.BARE, contest.bare);
                sides.put(Lineup.HOLDFAST, contest.holdfast);
                Standings standings = new Standings(HANGS, sides);
                assertThat(standings.claims()).as("seed %d", seed).hasSize(3).allMatch(Claims.Claim::kept);
                Tally all = contest.holdfast.answers().sentBetween(0, HANGS.endNanos());
                assertThat(all.errors()).as("seed %d", seed).isZero();
                share += standings.shareAfterHangs(contest.holdfast) / SEEDS;
            }
        }
        assertThat(share).isGreaterThan(0.8);
    }

    private static VirtualContest played(long seed) {
        Load load = new Load(160, seed, Load.USUAL_PATIENCE);
        VirtualContest contest = new VirtualContest(HANGS, load, new CallObserver() {}, CONFIG, WORKERS);
        contest.open();
        contest.play();
        return contest;
    }

    @Test
    void onlyWhatWasSentInTheFirstFourSecondsAfterAHangCounts() {
        Made holdfast = side(Lineup.HOLDFAST);
        Phase hang = HANGS.faults().get(0);
        at(holdfast, hang.endNanos() - 1, Scoreboard.Kind.STALE);
        at(holdfast, hang.endNanos(), Scoreboard.Kind.LIVE);
        at(holdfast, hang.endNanos() + Standings.AFTERMATH - 1, Scoreboard.Kind.STALE);
        at(holdfast, hang.endNanos() + Standings.AFTERMATH, Scoreboard.Kind.STALE);

        assertThat(new Standings(HANGS, sides).shareAfterHangs(holdfast)).isEqualTo(0.5);
    }

    @Test
    void aBusyMachineBreaksNoPromiseIfTheOthersHaveAsHardATime() {
        afterAHang(side(Lineup.BARE), 5);
        afterAHang(side(Lineup.HOLDFAST), 5);

        assertThat(liveAfterHangs().kept()).isTrue();
    }

    @Test
    void fewerLiveAnswersThanTheBestOfTheOthersBreakThePromise() {
        afterAHang(side(Lineup.BARE), 9);
        afterAHang(side(Lineup.HOLDFAST), 7);

        assertThat(liveAfterHangs().kept()).isFalse();
        assertThat(liveAfterHangs().text()).contains("70 %", "90 %");
    }

    @Test
    void eachSideWithMoreRightAnswersInAPhaseIsNamed() {
        at(side(Lineup.BARE), 1, Scoreboard.Kind.LIVE);
        at(side(Lineup.EARLY), 1, Scoreboard.Kind.ERROR);
        at(side(Lineup.HOLDFAST), 1, Scoreboard.Kind.ERROR);

        Claims.Claim claim = new Standings(HANGS, sides).claims().get(0);
        assertThat(claim.kept()).isFalse();
        assertThat(claim.text()).contains("healthy (1 fewer than bare)").doesNotContain(Lineup.EARLY);
    }

    @Test
    void aTableNamesEachSideAndPhase() {
        side(Lineup.BARE);
        side(Lineup.HOLDFAST);

        assertThat(new Standings(HANGS, sides).tables())
                .allMatch(line -> line.length() <= 80)
                .anyMatch(line -> line.startsWith(Lineup.BARE))
                .anyMatch(line -> line.startsWith("  after hang 3"))
                .anyMatch(line -> line.contains("after a hang: 0 %"));
    }

    private Claims.Claim liveAfterHangs() {
        return new Standings(HANGS, sides).claims().get(2);
    }

    /** Of ten requests right after the first hang. */
    private static void afterAHang(Made side, int live) {
        for (int i = 0; i < 10; i++) {
            at(side, HANGS.faults().get(0).endNanos(), i < live ? Scoreboard.Kind.LIVE : Scoreboard.Kind.STALE);
        }
    }

    private static void at(Made side, long nanos, Scoreboard.Kind kind) {
        side.answers().add(nanos, nanos + TimeUnit.MILLISECONDS.toNanos(1), kind);
    }

    private Made side(String name) {
        Made side = new Made(new Scoreboard(), new CallLog(() -> 0));
        sides.put(name, side);
        return side;
    }

    private record Made(Scoreboard answers, CallLog calls) implements Books {}
}
