/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the text of a configuration comes from.
 *
 * @param name what messages call it
 * @param opening opens it
 * @param isReadAgain whether it can be opened more than once
 */
record Source(String name, Opening opening, boolean isReadAgain) {

    /** Opens a text. */
    @FunctionalInterface
    interface Opening {
        InputStream open() throws IOException;
    }

    static Source of(Path file) {
        return new Source(
                file.toString(),
                () -> {
                    if (Files.isDirectory(file)) {
                        throw new IOException("is a directory");
                    }
                    return Files.newInputStream(file);
                },
                true);
    }

    static Source once(String name, InputStream stream) {
        return new Source(name, () -> stream, false);
    }

    /** What is in all of them now, whether or not it can be read. */
    static byte[] contents(List<Source> sources) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Source source : sources) {
            try (InputStream in = source.opening().open()) {
                all.writeBytes(in.readNBytes(Bounds.BYTES + 1));
            } catch (IOException unreadable) {
                all.writeBytes(String.valueOf(unreadable.getMessage()).getBytes(StandardCharsets.UTF_8));
            }
            all.write(0);
        }
        return all.toByteArray();
    }

    static Source ofResource(String resource, ClassLoader loader) {
        return new Source(
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
