/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A text of YAML.
 *
 * @param name what messages call it
 * @param opening opens it
 * @param isReadAgain whether it can be opened more than once
 */
record TextSource(String name, Opening opening, boolean isReadAgain) implements Source {

    /** Opens a text. */
    @FunctionalInterface
    interface Opening {
        InputStream open() throws IOException;
    }

    static TextSource of(Path file) {
        AtomicBoolean wasOpened = new AtomicBoolean();
        return new TextSource(
                file.toString(),
                () -> {
                    if (Files.isDirectory(file)) {
                        throw new IOException("is a directory");
                    }
                    // A pipe may be read once. Later nobody may write to it, and to open it would wait for ever.
                    if (wasOpened.getAndSet(true) && Files.exists(file) && !Files.isRegularFile(file)) {
                        throw new IOException("is no regular file, and so is not read again");
                    }
                    return Files.newInputStream(file);
                },
                true);
    }

    static TextSource once(String name, InputStream stream) {
        return new TextSource(name, () -> stream, false);
    }

    @Override
    public Taken taken() {
        // The size is not asked for, because it is 0 for a file without end.
        try (InputStream in = opening.open()) {
            return new Text(name, in.readNBytes(Bounds.BYTES + 1), null);
        } catch (IOException e) {
            return new Text(name, String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8), e);
        }
    }

    /**
     * What was read.
     *
     * @param unreadable why it could not be read; then the bytes are its message
     */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares or prints it
    private record Text(
            String name, byte[] contents, @Nullable IOException unreadable) implements Taken {
        @Override
        public List<Node> read(Placeholders placeholders, Problems problems) {
            return YamlFile.read(name, this::bytes, placeholders, problems).stream()
                    .toList();
        }

        private byte[] bytes() throws IOException {
            if (unreadable != null) {
                throw unreadable;
            }
            return contents;
        }
    }

    static TextSource ofResource(String resource, ClassLoader loader) {
        return new TextSource(
                "classpath:" + resource,
                () -> {
                    InputStream found = loader.getResourceAsStream(resource);
                    if (found == null) {
                        throw new FileNotFoundException(resource);
                    }
                    return found;
                },
                true);
    }
}
