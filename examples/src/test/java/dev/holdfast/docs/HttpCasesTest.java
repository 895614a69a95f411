/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The table of cases and adapters on the page about HTTP. It is made of the contract's tests and of the classes that pass it: none of
 * these may be skipped. If this test fails, copy the table that it shows.
 */
class HttpCasesTest {
    private static final Path CONTRACT = Pages.ROOT.resolve("testing/src/main/java/dev/holdfast/testing/http");
    /** From the class below all others to the contract itself. */
    private static final List<String> CHAIN = List.of(
            "HttpCases",
            "StatusCases",
            "RepeatCases",
            "TroubleCases",
            "RequestCases",
            "StaleCacheCases",
            "HttpClientContract");
    /** Its tests are its only methods without a result, but for the one that closes. */
    private static final Pattern CASE = Pattern.compile("(?m)^    void (\\w+)\\(");

    private static final Pattern QUESTION = Pattern.compile("protected boolean (\\w+)\\(\\)");
    /** What a case calls may ask a question, too. */
    private static final Pattern HELPER = Pattern.compile("(?m)^    (?:private |static |final )*[\\w<>]+ (\\w+)\\(");

    private static final Pattern CLASS = Pattern.compile(
            "(?:@DisplayName\\(\"([^\"]+)\"\\)\\s+(?:@\\w+(?:\\([^)]*\\))?\\s+)*)?(abstract )?class (\\w+) extends (\\w+)");

    /** A class of tests, and the text of those that it extends. */
    private record Adapter(String label, String text) {}

    @Test
    void theTableIsThatOfTheTests() throws IOException {
        String section = Pages.section(Pages.DOCS.resolve("http.md"), "The contract");
        String table = table();
        assertThat(section).as("expected this table:%n%s", table).contains(table);
    }

    private static String table() throws IOException {
        List<Adapter> adapters = adapters();
        assertThat(adapters).hasSizeGreaterThan(3);
        String contract = contract();
        List<String> cases = CASE.matcher(contract)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !name.equals("close"))
                .toList();
        assertThat(cases).hasSizeGreaterThan(30);
        StringBuilder table = new StringBuilder("| case |");
        adapters.forEach(adapter -> table.append(' ').append(adapter.label()).append(" |"));
        table.append("\n|---|").append("---|".repeat(adapters.size())).append('\n');
        for (String name : cases) {
            table.append("| ").append(words(name)).append(" |");
            adapters.forEach(adapter ->
                    table.append(' ').append(passes(adapter, name, contract)).append(" |"));
            table.append('\n');
        }
        return table.toString();
    }

    private static String contract() throws IOException {
        StringBuilder contract = new StringBuilder();
        for (String name : CHAIN) {
            contract.append(Files.readString(CONTRACT.resolve(name + ".java")));
        }
        return contract.toString();
    }

    /** A class that says otherwise has a test of the same name, or answers a question of the contract's for itself. */
    private static String passes(Adapter adapter, String name, String contract) {
        if (adapter.text().contains("void " + name + "(")) {
            return "its own way";
        }
        String test = body(contract, "    void " + name + "(");
        String all = test
                + HELPER.matcher(contract)
                        .results()
                        .filter(helper -> test.contains(helper.group(1) + "("))
                        .map(helper -> body(contract, helper.group()))
                        .collect(Collectors.joining());
        boolean inPart = QUESTION.matcher(contract)
                .results()
                .map(found -> found.group(1))
                .anyMatch(question ->
                        all.contains(question + "()") && adapter.text().contains("boolean " + question + "()"));
        return inPart ? "in part" : "yes";
    }

    /** To the end of the method that begins so. */
    private static String body(String contract, String declaration) {
        int begin = contract.indexOf(declaration);
        return contract.substring(begin, contract.indexOf("\n    }\n", begin));
    }

    /** All classes below the contract that are no contract themselves, in the order of their modules. */
    private static List<Adapter> adapters() throws IOException {
        Map<String, String> above = new TreeMap<>();
        Map<String, Adapter> concrete = new TreeMap<>();
        Map<String, String> texts = new TreeMap<>();
        try (Stream<Path> files = Files.walk(Pages.ROOT.resolve("integrations"))) {
            for (Path file : files.filter(path -> path.toString().contains("/src/test/java/")
                            && path.toString().endsWith(".java"))
                    .sorted()
                    .toList()) {
                String text = Files.readString(file);
                for (MatchResult found : CLASS.matcher(text).results().toList()) {
                    above.put(found.group(3), found.group(4));
                    texts.put(found.group(3), text);
                    if (found.group(2) == null) {
                        String label = found.group(1) == null ? found.group(3) : found.group(1);
                        concrete.put(file + found.group(3), new Adapter(label, text));
                    }
                }
            }
        }
        List<Adapter> adapters = new ArrayList<>();
        concrete.forEach((place, adapter) -> {
            String name = place.substring(place.lastIndexOf(".java") + ".java".length());
            String root = name;
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 5 && above.containsKey(root); i++) {
                text.append(texts.get(root));
                root = above.get(root);
            }
            if ("HttpClientContract".equals(root)) {
                adapters.add(new Adapter(adapter.label(), text.toString()));
            }
        });
        return adapters;
    }

    private static String words(String name) {
        return name.replaceAll("([A-Z]|[0-9]+)", " $1")
                .toLowerCase(Locale.ROOT)
                .replace(" i o exception", " IOException");
    }
}
