/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every Java sample of every page compiles as it stands there, with imports and a program around it ({@link Given}). */
class SamplesCompileTest {
    /** Of the pages whose samples stand in a test that runs them: {@link TestingSamplesTest}. */
    private static final Set<String> RUN_ELSEWHERE = Set.of("testing.md", "chaos.md");

    private static final Set<String> LANGUAGES =
            Set.of("properties", "java", "yaml", "yaml broken", "xml", "text", "console");
    private static final Pattern FENCE = Pattern.compile("^ *```(.*)$", Pattern.MULTILINE);
    private static final Pattern TYPE =
            Pattern.compile("(public |final |abstract |static )*(class|interface|record) .*");
    private static final Pattern MEMBER = Pattern.compile("(@|private |public |static |/\\*\\*).*", Pattern.DOTALL);
    private static final Pattern PUBLIC_TYPE = Pattern.compile("public final class (\\w+)");
    private static final Pattern RETURNS = Pattern.compile("^return ", Pattern.MULTILINE);

    private static final String IMPORTS = Stream.of(
                    "com.sun.net.httpserver.HttpExchange",
                    "com.sun.net.httpserver.HttpServer",
                    "dev.holdfast.*",
                    "dev.holdfast.bulkhead.*",
                    "dev.holdfast.circuitbreaker.*",
                    "dev.holdfast.config.*",
                    "dev.holdfast.deadline.*",
                    "dev.holdfast.fallback.*",
                    "dev.holdfast.grpc.*",
                    "dev.holdfast.hedge.*",
                    "dev.holdfast.headers.*",
                    "dev.holdfast.http.*",
                    "dev.holdfast.httpclient5.*",
                    "dev.holdfast.micrometer.*",
                    "dev.holdfast.okhttp.*",
                    "dev.holdfast.log.*",
                    "dev.holdfast.reactor.*",
                    "dev.holdfast.retry.*",
                    "dev.holdfast.servlet.*",
                    "dev.holdfast.shadow.*",
                    "dev.holdfast.spi.*",
                    "dev.holdfast.spring.*",
                    "dev.holdfast.springboot.*",
                    "dev.holdfast.stalecache.*",
                    "dev.holdfast.testing.*",
                    "dev.holdfast.throttling.*",
                    "dev.holdfast.time.*",
                    "dev.holdfast.timeout.*",
                    "dev.holdfast.valkey.*",
                    "io.github.resilience4j.bulkhead.*",
                    "io.github.resilience4j.circuitbreaker.*",
                    "io.github.resilience4j.core.*",
                    "io.github.resilience4j.core.registry.*",
                    "io.github.resilience4j.micrometer.tagged.*",
                    "io.micrometer.context.*",
                    "io.micrometer.context.integration.*",
                    "io.micrometer.core.instrument.MeterRegistry",
                    "io.micrometer.observation.*",
                    "io.micrometer.tracing.handler.*",
                    "java.io.*",
                    "java.math.*",
                    "java.net.http.*",
                    "java.nio.file.*",
                    "java.time.*",
                    "java.util.*",
                    "java.util.concurrent.*",
                    "java.util.concurrent.atomic.*",
                    "java.util.function.*",
                    "reactor.core.publisher.*",
                    "reactor.test.*",
                    "org.springframework.beans.factory.annotation.*",
                    "org.junit.jupiter.api.Test",
                    "org.springframework.boot.test.context.SpringBootTest",
                    "org.springframework.context.annotation.*",
                    "org.springframework.http.ResponseEntity",
                    "org.springframework.stereotype.*",
                    "org.springframework.test.context.ActiveProfiles",
                    "org.springframework.web.bind.annotation.*",
                    "org.springframework.web.client.*",
                    "org.springframework.web.service.annotation.*",
                    "org.springframework.web.service.registry.*",
                    "static org.assertj.core.api.Assertions.assertThat")
            .map(name -> "import " + name + "; ")
            .collect(Collectors.joining());

    @TempDir
    Path classes;

    @Test
    void everyBlockSaysWhatItIs() throws IOException {
        for (Path page : Pages.all()) {
            List<String> fences = FENCE.matcher(Pages.text(page))
                    .results()
                    .map(match -> match.group(1))
                    .toList();
            for (int i = 0; i < fences.size(); i += 2) {
                assertThat(LANGUAGES).as("the languages of %s", page).contains(fences.get(i));
            }
        }
    }

    @Test
    void everyJavaSampleCompiles() throws IOException {
        List<Source> sources = new ArrayList<>();
        for (Path page : Pages.all()) {
            String name = page.getFileName().toString();
            if (!RUN_ELSEWHERE.contains(name)) {
                String prefix = name.replaceAll("\\W", "_").toLowerCase(Locale.ROOT);
                for (String sample : Pages.blocks(page, "java")) {
                    sources.add(source(prefix + sources.size(), sample, typesOf(page)));
                }
            }
        }
        assertThat(sources).hasSizeGreaterThan(40);
        assertThat(problems(sources)).isEmpty();
    }

    /** A page may use in one block the type that another one shows. */
    private static String typesOf(Path page) {
        return Pages.blocks(page, "java").stream()
                .filter(block -> TYPE.matcher(firstLine(block)).matches())
                .map(block -> block.replaceFirst("^(public |final )*", "static "))
                .collect(Collectors.joining("\n"));
    }

    private static String firstLine(String block) {
        return block.lines().findFirst().orElse("");
    }

    /** A whole file, a type, the members of one, or statements. */
    private static Source source(String name, String sample, String types) {
        if (sample.startsWith("import ")) {
            String code = "package dev.holdfast.docs." + name + ";\n" + sample;
            Matcher type = PUBLIC_TYPE.matcher(code);
            assertThat(type.find()).as("a public type in %s", sample).isTrue();
            return new Source(name + "/" + type.group(1), code, sample);
        }
        String members;
        if (TYPE.matcher(firstLine(sample)).matches()) {
            members = types;
        } else if (MEMBER.matcher(sample).matches()) {
            members = types + sample;
        } else {
            String kind = RETURNS.matcher(sample).find() ? "Object" : "void";
            members = types + "\n" + kind + " sample() throws Exception {\n" + sample + "\n}";
        }
        return new Source(name, inside(name, members), sample);
    }

    private static String inside(String name, String members) {
        return "package dev.holdfast.docs; " + IMPORTS + "abstract class " + name + " extends Given {\n" + members
                + "\n}";
    }

    private List<String> problems(List<Source> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        compiler.getTask(
                        null,
                        null,
                        found,
                        List.of("--release", "17", "-proc:none", "-d", classes.toString(), "-cp", classPath()),
                        null,
                        sources)
                .call();
        return found.getDiagnostics().stream()
                .filter(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
                .map(problem -> problem.getMessage(Locale.ROOT) + " in\n" + problem.getSource())
                .toList();
    }

    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String code;
        private final String sample;

        Source(String path, String code, String sample) {
            super(URI.create("string:///dev/holdfast/docs/" + path + ".java"), Kind.SOURCE);
            this.code = code;
            this.sample = sample;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return code;
        }

        @Override
        public String toString() {
            return sample;
        }
    }
}
