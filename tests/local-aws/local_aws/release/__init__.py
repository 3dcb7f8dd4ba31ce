"""A stand-in for the release role of Mautic's image: it makes the tables of Mautic that the stack knows, and says so.

It reads the environment that the image reads, signs in to the real MySQL with verified TLS, and leaves behind what an
installation or a migration leaves: functions/mautic-release judges by that. Run as `python -m local_aws.release install`
or `migrate`.
"""
