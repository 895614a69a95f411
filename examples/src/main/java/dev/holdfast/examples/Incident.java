/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.config.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line of the incident: two shops, one of them with Holdfast, and a stock service that falls ill. */
@Command(
        name = "incident",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        description = "Two shops ask a stock service that gets slow, fails, pushes back, is gone and recovers:"
                + " one with a plain client, one with Holdfast, both under the same load at the same time.")
public final class Incident implements Callable<Integer> {
    private static final int CALLERS_OF_EACH = 8;
    private static final int WORKERS_OF_A_HANG = 16;
    private static final int MOST_PROCESSES = 32;

    @Option(names = "--seconds", defaultValue = "40", description = "length of the run; at least 8, default 40")
    private int seconds;

    @Option(names = "--rate", defaultValue = "160", description = "requests a second to each shop; default 160")
    private int rate;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "the pipelines; default: holdfast.yaml of this jar, with --hang or --processes lineup.yaml")
    private @Nullable Path config;

    @Option(
            names = "--client",
            defaultValue = "JAVA",
            description = "of the shop with Holdfast: ${COMPLETION-CANDIDATES}; default java (java.net.http)")
    private Client client = Client.JAVA;

    @Option(
            names = "--hang",
            description = "three hangs instead of the usual faults: a quarter of the requests hang for 4 s; beside"
                    + " resilience4j, too")
    private boolean hang;

    @Option(
            names = "--processes",
            defaultValue = "1",
            description = "so many shops of eight threads each, beside resilience4j, too; default 1, of 64 threads")
    private int processes;

    @Option(names = "--seed", defaultValue = "1", description = "of the arrivals; default 1")
    private long seed;

    @Option(names = "--csv", paramLabel = "FILE", description = "write a table with a line a second and shop")
    private @Nullable Path csv;

    @Option(names = "--chart", defaultValue = "incident.png", paramLabel = "FILE", description = "default incident.png")
    private Path chart = Path.of("incident.png");

    @Option(names = "--check", description = "end with 1 if Holdfast did not keep a promise")
    private boolean check;

    private final PrintStream out;
    private final Style style;

    Incident(PrintStream out, Style style) {
        this.out = out;
        this.style = style;
    }

    public static void main(String[] args) {
        System.exit(run(System.out, Style.detect(), args));
    }

    /** Runs the command and returns its exit code. */
    static int run(PrintStream out, Style style, String... args) {
        return new CommandLine(new Incident(out, style))
                .setOverwrittenOptionsAllowed(true)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (processes < 1 || processes > MOST_PROCESSES) {
            out.println("--processes must be 1 to " + MOST_PROCESSES);
            return CommandLine.ExitCode.USAGE;
        }
        if (seconds < Timeline.SHORTEST.toSeconds() || rate < 1) {
            out.println("--seconds must be at least " + Timeline.SHORTEST.toSeconds() + ", and --rate at least 1");
            return CommandLine.ExitCode.USAGE;
        }
        try {
            boolean lineup = hang || processes > 1;
            Path file = config == null ? packedConfig(lineup ? "/lineup.yaml" : "/holdfast.yaml") : config;
            return lineup ? lineup(file) : incident(file);
        } catch (ConfigException e) {
            out.println(e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
    }

    private int incident(Path file) throws IOException, InterruptedException {
        Timeline timeline = Timeline.incident(Duration.ofSeconds(seconds));
        try (Contest contest = new Contest(timeline, client, file, new Load(rate, seed, Load.USUAL_PATIENCE))) {
            introduce(contest);
            out.println(style.dim("both shops open, and do business for a moment that does not count ..."));
            contest.open();
            out.println();
            try (LiveView view = new LiveView(contest, out, style)) {
                view.head();
                contest.play(view::second);
            }
            List<Claims.Claim> claims = new Claims(contest.timeline(), contest.bare(), contest.holdfast()).check();
            report(contest, claims);
            return check && !claims.stream().allMatch(Claims.Claim::kept) ? CommandLine.ExitCode.SOFTWARE : 0;
        }
    }

    private int lineup(Path file) throws IOException, InterruptedException {
        Duration length = Duration.ofSeconds(seconds);
        Timeline timeline = hang ? Timeline.hangs(length) : Timeline.incident(length);
        Team.Size size = new Team.Size(
                processes, processes == 1 ? Shop.THREADS : CALLERS_OF_EACH, hang ? WORKERS_OF_A_HANG : Stock.WORKERS);
        try (Lineup lineup = new Lineup(timeline, size, client, file, new Load(rate, seed, Load.USUAL_PATIENCE))) {
            out.printf(
                    Locale.ROOT,
                    "%d s at %d requests/s to each side, seed %d; %d shops of %d threads, a stock service of %d workers%n",
                    seconds,
                    rate,
                    seed,
                    size.shops(),
                    size.threads(),
                    size.workers());
            Map<String, Team> sides = new LinkedHashMap<>();
            lineup.sides().forEach(side -> sides.put(side.name(), side));
            out.println("holdfast: " + lineup.sides().get(sides.size() - 1).client());
            lineup.open();
            lineup.play(second -> out.printf(
                    Locale.ROOT,
                    "%3d s  %s%n",
                    second,
                    timeline.at(TimeUnit.SECONDS.toNanos(second) - 1).name()));
            Standings standings = new Standings(timeline, sides);
            out.println();
            standings.tables().forEach(out::println);
            List<Claims.Claim> claims = standings.claims();
            Report.claims(claims, style).forEach(out::println);
            return check && !claims.stream().allMatch(Claims.Claim::kept) ? CommandLine.ExitCode.SOFTWARE : 0;
        }
    }

    private void introduce(Contest contest) {
        out.printf(
                Locale.ROOT,
                "%d s at %d requests/s to each shop, seed %d; the stock service can bear %d/s, %d/s while slow%n",
                seconds,
                rate,
                seed,
                Stock.PER_SECOND,
                Stock.PER_SECOND / Stock.SLOWDOWN);
        out.println("bare:     timeout " + BareClient.TIMEOUT.toMillis() + " ms, three tries");
        out.println("holdfast: " + contest.holdfast().client());
        out.println("metrics:  " + contest.metrics().uri());
    }

    private void report(Contest contest, List<Claims.Claim> claims) throws IOException {
        Report report = new Report(contest, style);
        out.println();
        report.table().forEach(out::println);
        out.println();
        report.conclusion().forEach(out::println);
        out.println();
        report.claims(claims).forEach(out::println);
        out.println();
        if (csv != null) {
            CsvFile.write(csv, contest);
            out.println("table: " + csv.toAbsolutePath());
        }
        draw(contest);
    }

    private void draw(Contest contest) throws IOException {
        try {
            new ChartFile(contest).write(chart);
            out.println("chart: " + chart.toAbsolutePath());
        } catch (LinkageError | RuntimeException e) {
            // A machine without fonts (a small container) cannot draw; the run was good all the same.
            out.println("no chart: " + e);
        }
    }

    private static Path packedConfig(String name) throws IOException {
        Path copy = Files.createTempDirectory("holdfast").resolve("holdfast.yaml");
        try (InputStream packed = Incident.class.getResourceAsStream(name)) {
            Files.copy(Objects.requireNonNull(packed, name + " is missing in the jar"), copy);
        }
        return copy;
    }
}
