/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.spi.Policy;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command line of the collapse experiments. */
@Command(
        name = "collapse",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        description =
                "Outages that outlive their cause, simulated: a plain client stays down, one with Holdfast's defaults"
                        + " comes back. docs/overload.md explains them.")
public final class Collapse implements Callable<Integer> {
    private static final String ALL = "all";

    @Parameters(index = "0", paramLabel = "NAME", arity = "0..1", description = "an experiment, or all; default all")
    private String name = ALL;

    @Option(names = "--seed", defaultValue = "1", description = "of everything that is left to chance; default 1")
    private long seed;

    @Option(
            names = "--pictures",
            defaultValue = ".",
            paramLabel = "FOLDER",
            description = "where NAME.png is written to")
    private Path pictures = Path.of(".");

    @Option(
            names = "--processes",
            defaultValue = "" + Fleet.PROCESSES,
            description = "how many have a pipeline each, in the first four experiments; default ${DEFAULT-VALUE}")
    private int processes;

    @Option(names = "--without", paramLabel = "POLICY", split = ",", description = "policies that they do not have")
    private List<String> without = List.of();

    @Option(names = "--permits", paramLabel = "N", description = "a fixed limit of the bulkhead of each of them")
    private @Nullable Integer permits;

    @Option(
            names = "--at-scale",
            description =
                    "NAME, or the first four, at 1 to 300 processes and in variations: how long until they are back")
    private boolean atScale;

    @Option(names = "--seeds", defaultValue = "3", description = "with --at-scale: how many; default 3")
    private int seeds;

    @Option(names = "--large", description = "with --at-scale: also with so many calls that it takes minutes")
    private boolean large;

    private final PrintStream out;

    Collapse(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(run(System.out, args));
    }

    /** Runs the command and returns its exit code. */
    static int run(PrintStream out, String... args) {
        return new CommandLine(new Collapse(out))
                .setOverwrittenOptionsAllowed(true)
                .execute(args);
    }

    @Override
    public Integer call() throws IOException {
        if (atScale) {
            List<AtScale.Kind> kinds = named(AtScale.Kind.values());
            if (kinds.isEmpty()) {
                return unknown(AtScale.Kind.values());
            }
            new AtScale(out, seeds, large, this::changed).print(kinds);
            return CommandLine.ExitCode.OK;
        }
        List<Experiment> chosen = named(Experiment.values());
        if (chosen.isEmpty()) {
            return unknown(Experiment.values());
        }
        Files.createDirectories(pictures);
        for (Experiment experiment : chosen) {
            show(experiment);
        }
        return CommandLine.ExitCode.OK;
    }

    private <E extends Enum<E>> List<E> named(E[] all) {
        return Arrays.stream(all)
                .filter(one -> name.equals(ALL) || name.equals(one.toString()))
                .toList();
    }

    private int unknown(Enum<?>[] all) {
        String known = Arrays.stream(all).map(Enum::toString).collect(Collectors.joining(", "));
        out.println("no experiment is called '" + name + "'; there are " + known + ", and all of them: " + ALL);
        return CommandLine.ExitCode.USAGE;
    }

    private Stream<Policy> changed(Policy policy) {
        if (without.contains(policy.name())) {
            return Stream.empty();
        }
        Integer limit = permits;
        return Stream.of(
                limit != null && policy instanceof BulkheadPolicy
                        ? BulkheadPolicy.of(
                                bulkhead -> bulkhead.limit(LimitAlgorithm.FIXED).maxConcurrentCalls(limit))
                        : policy);
    }

    private void show(Experiment experiment) throws IOException {
        out.println(experiment + ": " + experiment.about() + "; seed " + seed);
        out.println();
        Findings findings = experiment.run(seed, world -> Fleet.standard(world, processes, this::changed));
        findings.lines().forEach(out::println);
        Path picture = pictures.resolve(experiment + ".png");
        try {
            findings.picture().write(picture);
            out.println("picture: " + picture.toAbsolutePath().normalize());
        } catch (LinkageError | RuntimeException e) {
            // A machine without fonts (a small container) cannot draw; the figures are good all the same.
            out.println("no picture: " + e);
        }
        out.println();
    }
}
