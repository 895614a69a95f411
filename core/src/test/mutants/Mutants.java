/* SPDX-License-Identifier: Apache-2.0 */

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Judges mutants: applies each patch to a copy of the source, compiles it, runs the test that its header names with the result,
 * and says killed or survived. Arguments: the root of the project, the folder to work in, the class path, and the patches.
 */
class Mutants {
    private static final String KILLED = "killed";
    private static final long LIMIT_SECONDS = 120; // of all tests with the sources as they are, each
    private static final List<String> JAVA =
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx768m",
                    "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final Path root;
    private final Path work;
    private final String classPath;

    private Mutants(Path root, Path work, String classPath) {
        this.root = root;
        this.work = work;
        this.classPath = classPath;
    }

    public static void main(String[] args) throws Exception {
        Mutants mutants = new Mutants(Path.of(args[0]), Path.of(args[1]), args[2]);
        List<Patch> patches = new ArrayList<>();
        for (String path : List.of(args).subList(3, args.length)) {
            patches.add(Patch.read(Path.of(path)));
        }
        System.exit(mutants.judge(patches) ? 0 : 1);
    }

    private boolean judge(List<Patch> patches) throws Exception {
        Path here = root.resolve("core/src/test/mutants");
        String problems = compile(work.resolve("runner"), List.of(here.resolve("RunTest.java")));
        if (!problems.isEmpty()) {
            throw new IllegalStateException(problems);
        }
        Map<String, Long> seconds = withoutMutants(patches.stream().map(Patch::test).distinct().toList());
        // One process for each processor.
        ExecutorService processes = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        List<Future<String>> verdicts = new ArrayList<>();
        for (Patch patch : patches) {
            verdicts.add(processes.submit(() -> timed(patch.name(), () -> verdict(patch, seconds.get(patch.test())))));
        }
        int killed = 0;
        for (Future<String> verdict : verdicts) {
            killed += verdict.get().equals(KILLED) ? 1 : 0;
        }
        processes.shutdown();
        System.out.printf("%d killed, %d not%n", killed, patches.size() - killed);
        return killed == patches.size();
    }

    /** How long each test takes tells how long it may take with a mutant: one that makes it hang is killed as well. */
    private Map<String, Long> withoutMutants(List<String> tests) throws Exception {
        System.out.printf("running the %d tests as the sources are%n", tests.size());
        Path output = work.resolve("without-mutants");
        boolean passed = run(classPath, tests, LIMIT_SECONDS * tests.size(), output) == 0;
        List<String> lines = Files.readAllLines(output);
        if (!passed) {
            throw new IllegalStateException("a test fails without a mutant, so it cannot tell:\n" + String.join("\n", lines));
        }
        return lines.stream()
                .filter(line -> line.startsWith("took "))
                .map(line -> line.split(" "))
                .collect(Collectors.toMap(words -> words[1], words -> Long.parseLong(words[2])));
    }

    private String verdict(Patch patch, long seconds) throws Exception {
        Path folder = work.resolve(patch.name());
        Path mutant = folder.resolve("classes");
        // Only what the patch changes: the tests find the other classes as they are.
        List<Path> sources = new ArrayList<>();
        for (String file : patch.files()) {
            Path copy = folder.resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(root.resolve(file), copy);
            sources.add(copy);
        }
        ProcessBuilder apply = new ProcessBuilder("git", "apply", patch.path().toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("apply").toFile());
        apply.environment().put("GIT_CEILING_DIRECTORIES", work.toString());
        if (apply.start().waitFor() != 0) {
            return "DOES NOT APPLY";
        }
        if (!compile(mutant, sources).isEmpty()) {
            return "DOES NOT COMPILE";
        }
        int end = run(mutant + File.pathSeparator + classPath, List.of(patch.test()), 10 + 5 * seconds, folder.resolve("output"));
        delete(folder);
        return end == 0 ? "SURVIVED" : KILLED;
    }

    private String timed(String name, Callable<String> work) throws Exception {
        long start = System.nanoTime();
        String verdict = work.call();
        System.out.printf("%-52s %3d s  %s%n", name, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start), verdict);
        return verdict;
    }

    /** Returns what is wrong. */
    private String compile(Path into, List<Path> sources) throws IOException {
        Files.createDirectories(into);
        StringWriter problems = new StringWriter();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            boolean done = compiler.getTask(
                            problems,
                            files,
                            null,
                            List.of("-nowarn", "-proc:none", "--release", "17", "-d", into.toString(), "-cp", classPath),
                            null,
                            files.getJavaFileObjectsFromPaths(sources))
                    .call();
            return done ? "" : problems.append("does not compile").toString();
        }
    }

    /** Returns what the process ended with; 0 is: all tests passed. */
    private int run(String path, List<String> tests, long limitSeconds, Path output) throws Exception {
        List<String> command = new ArrayList<>(JAVA);
        command.addAll(List.of("-cp", work.resolve("runner") + File.pathSeparator + path, "RunTest"));
        command.addAll(tests);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        if (process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
            return process.exitValue();
        }
        process.destroyForcibly().waitFor();
        return -1;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private record Patch(Path path, String name, String test, List<String> files) {
        private static final String TEST = "# killed by: ";
        private static final String FILE = "+++ b/";

        static Patch read(Path path) throws IOException {
            List<String> lines = Files.readAllLines(path);
            String test = rest(lines, TEST).get(0);
            return new Patch(path, path.getFileName().toString().replace(".patch", ""), test, rest(lines, FILE));
        }

        private static List<String> rest(List<String> lines, String start) {
            return lines.stream().filter(line -> line.startsWith(start)).map(line -> line.substring(start.length())).toList();
        }
    }
}
