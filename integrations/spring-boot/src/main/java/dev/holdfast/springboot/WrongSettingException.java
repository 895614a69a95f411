/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import org.springframework.beans.factory.BeanCreationException;

/** What an application says of Holdfast cannot be done; the message says where and why. It ends the start. */
final class WrongSettingException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    WrongSettingException(String message, Throwable cause) {
        super(message, cause);
    }

    WrongSettingException(String message) {
        super(message);
    }

    /** As the end of the creation of this bean. */
    BeanCreationException of(String bean) {
        return new BeanCreationException(bean, String.valueOf(getMessage()), this);
    }
}
