/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XENRELAY_CHANNEL_H
#define XENRELAY_CHANNEL_H

void xenrelay_channels_resumed(void);

#endif /* XENRELAY_CHANNEL_H */
