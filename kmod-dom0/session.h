/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_SESSION_H
#define XBLK_SESSION_H

#include <linux/types.h>

struct dentry;
struct file;
struct poll_table_struct;
struct seq_file;

int session_command(char *command, struct dentry *dir);
void session_end(void);
u64 session_level(void);
__poll_t session_poll(struct file *file, struct poll_table_struct *wait);
void session_show(struct seq_file *s);

#endif /* XBLK_SESSION_H */
