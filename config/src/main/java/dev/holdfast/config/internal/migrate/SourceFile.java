/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/** Reads a file of Spring Boot, YAML or properties. */
final class SourceFile {
    private static final int BYTES = 256 * 1024;
    private static final int DEPTH = 30;
    private static final Pattern NEXT_PART = Pattern.compile("^[#!]---[ \\t]*$", Pattern.MULTILINE);

    /** The byte order mark of UTF-8, read in the encoding of properties. */
    private static final String MARK = "\u00EF\u00BB\u00BF";

    private SourceFile() {}

    /** Throws an {@link Unreadable} if it cannot be read, is too large, or is no such file. */
    static List<Document> read(String name) {
        boolean properties = name.toLowerCase(Locale.ROOT).endsWith(".properties");
        try {
            // Spring reads properties in this encoding.
            String text = text(name, properties ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
            return properties ? properties(name, text) : yaml(name, text);
        } catch (NoSuchFileException e) {
            throw new Unreadable(name, "there is no such file");
        } catch (CharacterCodingException e) {
            throw new Unreadable(name, "is not text in UTF-8");
        } catch (MarkedYAMLException e) {
            String line = e.getProblemMark() == null
                    ? ""
                    : "line " + (e.getProblemMark().getLine() + 1) + ": ";
            throw new Unreadable(name, line + "not YAML: " + e.getProblem());
        } catch (IOException | YAMLException | IllegalArgumentException e) {
            throw new Unreadable(name, "cannot be read: " + e.getMessage());
        }
    }

    private static String text(String name, Charset charset) throws IOException {
        Path path = Path.of(name);
        if (Files.isDirectory(path)) {
            throw new Unreadable(name, "is a directory");
        }
        // The size is not asked for, because it is 0 for a file without end.
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(BYTES + 1);
            if (bytes.length > BYTES) {
                throw new Unreadable(name, "is larger than " + BYTES / 1024 + " KiB");
            }
            return charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        }
    }

    /** Of the constructors this one makes no object of a class that a tag names. */
    private static List<Document> yaml(String name, String text) {
        LoaderOptions options = new LoaderOptions();
        options.setNestingDepthLimit(DEPTH);
        options.setAllowDuplicateKeys(false);
        List<Document> documents = new ArrayList<>();
        for (Object root : new Yaml(new SafeConstructor(options)).loadAll(text)) {
            Document document = new Document(name);
            document.flatten("", root, 0);
            documents.add(document);
        }
        return documents;
    }

    private static List<Document> properties(String name, String text) throws IOException {
        List<Document> documents = new ArrayList<>();
        for (String part : NEXT_PART.split(withoutMark(text), -1)) {
            Document document = new Document(name);
            new InOrder(document).load(new StringReader(part));
            documents.add(document);
        }
        return documents;
    }

    /** Without the byte order mark that some editors write. */
    private static String withoutMark(String text) {
        return text.startsWith(MARK) ? text.substring(MARK.length()) : text;
    }

    /** Properties do not remember the order of the file. */
    private static final class InOrder extends Properties {
        private static final long serialVersionUID = 1L;

        private final transient Document document;

        InOrder(Document document) {
            this.document = document;
        }

        @Override
        public synchronized @Nullable Object put(Object name, Object value) {
            document.put((String) name, (String) value);
            return null;
        }
    }
}
