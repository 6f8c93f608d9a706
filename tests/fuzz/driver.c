/* Runs a fuzzer's corpus where libFuzzer is not linked, so that every build tests every seed:
 * arguments are folders or files; a seed is also cut short at each of a few places. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long seeds;

static void run_cut(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size); /* its own block: reads beyond it are seen */
	if (copy == NULL) {
		abort();
	}
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	if (file == NULL || fstat(fileno(file), &st) < 0) {
		perror(path);
		exit(1);
	}
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size + 1);
	if (data == NULL || fread(data, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	(void)fclose(file);
	run_cut(data, size);
	for (size_t part = 1; part < 8; part++) {
		run_cut(data, size * part / 8);
	}
	free(data);
	seeds++;
}

static void run_folder(const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);
	if (count < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < count; i++) {
		char child[4096];
		(void)snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			run_file(child);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			run_folder(argv[i]);
		} else {
			run_file(argv[i]);
		}
	}
	if (seeds == 0) {
		fprintf(stderr, "no seeds\n");
		return 1;
	}
	printf("%lu seeds\n", seeds);
	return 0;
}
