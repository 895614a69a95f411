/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.internal.Checks;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** Which bodies are read within their attempt. */
final class Streams {
    static final int READ = 256 << 10;
    private static final int MOST_READ = 64 << 20;

    /** Types that may go on for ever. */
    private static final Pattern TYPES =
            Pattern.compile("text/event-stream\\b.*|application/(x-ndjson|jsonl|json-seq|stream\\+json|grpc)\\b.*"
                    + "|(multipart|audio|video)/.*");

    private Streams() {}

    /** Whether a body is read: all of it if its length is known, else what the bound allows. */
    static boolean isSmall(HttpHeaders headers, int most) {
        long length = headers.getContentLength();
        return most > 0 && (length < 0 ? !isStream(headers.getFirst(HttpHeaders.CONTENT_TYPE)) : length <= most);
    }

    private static boolean isStream(@Nullable String type) {
        return type != null
                && TYPES.matcher(type.strip().toLowerCase(Locale.ROOT)).matches();
    }

    static void check(String who, int bytes) {
        new Checks(who).range("readBodiesUpTo", bytes, 0, MOST_READ).done();
    }
}
