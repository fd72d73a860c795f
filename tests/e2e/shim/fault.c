/* Makes writes and syncs of journal segments fail, for the switch that it is preloaded into.
 *
 * TORAP_FAULT names a file. While it is there, its first word says what fails: `sync` (fdatasync and fsync give EIO), `write`
 * (pwrite gives EIO) or `room` (pwrite gives ENOSPC). Only files whose name ends in `.seg` are concerned. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_segment(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 4 && memcmp(path + length - 4, ".seg", 4) == 0;
}

static int armed(int fd, const char *what)
{
    const char *name = getenv("TORAP_FAULT");
    if (name == NULL)
        return 0;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    char word[16] = {0};
    ssize_t length = read(file, word, sizeof word - 1);
    close(file);
    return length > 0 && strncmp(word, what, strlen(what)) == 0 && is_segment(fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off_t offset)
{
    if (armed(fd, "write")) {
        errno = EIO;
        return -1;
    }
    if (armed(fd, "room")) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset)
{
    return write_at(fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return write_at(fd, bytes, count, offset);
}

static int sync_file(int fd, long call)
{
    if (armed(fd, "sync")) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}
