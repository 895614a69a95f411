/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The project's pages, as files. */
final class Pages {
    /** Surefire says where the module is; its parent is the project. */
    static final Path ROOT = Path.of(System.getProperty("basedir", "."))
            .toAbsolutePath()
            .normalize()
            .getParent();

    static final Path README = ROOT.resolve("README.md");
    static final Path DOCS = ROOT.resolve("docs");

    private Pages() {}

    static String text(Path file) {
        try {
            return Files.readString(file, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** README and all of docs. */
    static List<Path> all() throws IOException {
        try (Stream<Path> docs = Files.list(DOCS)) {
            return Stream.concat(Stream.of(README, ROOT.resolve("CONTRIBUTING.md")), docs.sorted())
                    .filter(page -> page.toString().endsWith(".md"))
                    .toList();
        }
    }

    /** The code blocks of a page that are marked with this language. */
    static List<String> blocks(Path page, String language) {
        Pattern block = Pattern.compile("^```" + language + "\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
        return block.matcher(text(page)).results().map(match -> match.group(1)).toList();
    }

    /** The headings of the second level, in order. */
    static List<String> sections(Path page) {
        return Pattern.compile("^## (.*)$", Pattern.MULTILINE)
                .matcher(text(page))
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    /** What is below a heading of the second level, up to the next one. */
    static String section(Path page, String heading) {
        return Pattern.compile(
                        "^## " + Pattern.quote(heading) + "$(.*?)(?=^## |\\z)", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(text(page))
                .results()
                .map(match -> match.group(1))
                .findFirst()
                .orElse("");
    }

    /** Where the links of a page lead, those to other sites and within the page apart. */
    static List<String> links(Path page) {
        return Pattern.compile("\\]\\(([^)#: ]+)(#[^)]*)?\\)")
                .matcher(text(page))
                .results()
                .map(MatchResult::group)
                .map(link -> link.replaceAll("^\\]\\(|(#[^)]*)?\\)$", ""))
                .toList();
    }
}
